// Insert a mail and wait for its outcome: ORDER=4711 mongosh "$MONGODB_URI" insert.mongosh.js
// MONGODB_DATABASE names the database.
const order = process.env.ORDER;
const mails = db.getSiblingDB(process.env.MONGODB_DATABASE ?? "mailtrigger").mail;

// Whoever does not know whether the insert was done may do it again.
const { insertedId } = mails.insertOne({
  to: "Ada <ada@example.com>",
  message: { subject: `Your order ${order}`, text: "It is on its way." },
  idempotencyKey: `order-${order}-sent`,
});

// How long somebody waits for the answer; the mail goes out after that, too. Ctrl-C ends the waiting.
const deadline = Date.now() + 1000 * Number(process.env.WAIT_SECONDS ?? 60);
let delivery = {};
for (let pause = 20; Date.now() < deadline; pause = Math.min(pause * 1.5, 1000)) {
  delivery = mails.findOne({ _id: insertedId }, { delivery: 1 }).delivery ?? {};
  if (["SUCCESS", "ERROR"].includes(delivery.state)) break;
  sleep(pause);
}

if (delivery.state === "SUCCESS" || delivery.state === "ERROR") {
  print(`${delivery.state} ${delivery.error ?? delivery.info.response ?? "sent before"}`);
  quit(delivery.state === "SUCCESS" ? 0 : 1);
} else {
  print(`${insertedId} is not settled: ${delivery.state ?? "NEW"}`);
  quit(4);
}
