// Insert a mail. Needs: go get go.mongodb.org/mongo-driver/v2. MONGODB_URI names the server.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func main() {
	ctx := context.Background()
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Disconnect(ctx)
	result, err := client.Database("mailtrigger").Collection("mail").InsertOne(ctx, bson.M{
		"to":      bson.A{"Ada <ada@example.com>"},
		"message": bson.M{"subject": "Hello from Go", "text": "It works."},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.InsertedID)
}
