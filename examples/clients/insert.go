// Insert a mail and wait for its outcome: go run insert.go ORDER.
// Needs: go get go.mongodb.org/mongo-driver/v2/mongo.
// MONGODB_URI names the server, MONGODB_DATABASE the database.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

type delivery struct {
	State string
	Error string
	Info  struct{ Response string }
}

// Whoever does not know whether the insert was done may do it again.
func insert(ctx context.Context, mails *mongo.Collection, order string) (any, error) {
	result, err := mails.InsertOne(ctx, bson.M{
		"to":             "Ada <ada@example.com>",
		"message":        bson.M{"subject": "Your order " + order, "text": "It is on its way."},
		"idempotencyKey": "order-" + order + "-sent",
	})
	if err != nil {
		return nil, err
	}
	return result.InsertedID, nil
}

// Gives `delivery` when the mail is settled; the context ends the waiting.
func outcome(ctx context.Context, mails *mongo.Collection, id any) (delivery, error) {
	only := options.FindOne().SetProjection(bson.M{"delivery": 1})
	for pause := 20 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		var mail struct{ Delivery delivery }
		if err := mails.FindOne(ctx, bson.M{"_id": id}, only).Decode(&mail); err != nil {
			return delivery{}, err
		}
		if mail.Delivery.State == "SUCCESS" || mail.Delivery.State == "ERROR" {
			return mail.Delivery, nil
		}
		select {
		case <-ctx.Done():
			return mail.Delivery, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func main() {
	// How long somebody waits for the answer; the mail goes out after that, too.
	wait, err := time.ParseDuration(cmp.Or(os.Getenv("WAIT_SECONDS"), "60") + "s")
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		log.Fatal(err)
	}
	database := client.Database(cmp.Or(os.Getenv("MONGODB_DATABASE"), "mailtrigger"))
	mails := database.Collection("mail")
	id, err := insert(ctx, mails, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	settled, err := outcome(waiting, mails, id)
	if err != nil {
		fmt.Printf("%v is not settled, or nobody knows: %v\n", id, err)
		os.Exit(4)
	}
	fmt.Println(settled.State, cmp.Or(settled.Error, settled.Info.Response, "sent before"))
	if settled.State != "SUCCESS" {
		os.Exit(1)
	}
}
