// Insert a mail. Needs: npm install mongodb. MONGODB_URI names the server.
import { MongoClient } from "mongodb";

const client = new MongoClient(process.env.MONGODB_URI);
const mails = client.db("mailtrigger").collection("mail");
const { insertedId } = await mails.insertOne({
  to: ["Ada <ada@example.com>"],
  message: { subject: "Hello from Node", text: "It works." },
});
console.log(insertedId.toString());
await client.close();
