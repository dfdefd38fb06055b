// mongosh "$MONGODB_URI" examples/clients/insert.mongosh.js
db.getSiblingDB("mailtrigger").mail.insertOne({
  to: "Ada <ada@example.com>",
  message: { subject: "Hello from mongosh", text: "It works." },
});
