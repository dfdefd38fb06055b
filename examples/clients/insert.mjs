// Insert a mail and wait for its outcome: node insert.mjs ORDER. Needs: npm install mongodb.
// MONGODB_URI names the server, MONGODB_DATABASE the database.
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";

// How long somebody waits for the answer; the mail goes out after that, too.
const SECONDS = Number(process.env.WAIT_SECONDS ?? 60);

// Whoever does not know whether the insert was done may do it again.
async function insert(mails, order) {
  const { insertedId } = await mails.insertOne({
    to: "Ada <ada@example.com>",
    message: { subject: `Your order ${order}`, text: "It is on its way." },
    idempotencyKey: `order-${order}-sent`,
  });
  return insertedId;
}

// Gives `delivery` when the mail is settled; `signal` ends the waiting.
async function outcome(mails, id, signal) {
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 1000)) {
    const { delivery } = await mails.findOne({ _id: id }, { projection: { delivery: 1 }, signal });
    if (["SUCCESS", "ERROR"].includes(delivery?.state)) return delivery;
    await sleep(pause, undefined, { signal });
  }
}

const client = new MongoClient(process.env.MONGODB_URI);
try {
  const mails = client.db(process.env.MONGODB_DATABASE ?? "mailtrigger").collection("mail");
  const id = await insert(mails, process.argv[2]);
  try {
    const { state, error, info } = await outcome(mails, id, AbortSignal.timeout(SECONDS * 1000));
    console.log(state, error ?? info.response ?? "sent before");
    process.exitCode = state === "SUCCESS" ? 0 : 1;
  } catch (error) {
    console.log(`${id} is not settled, or nobody knows: ${error}`);
    process.exitCode = 4;
  }
} finally {
  await client.close();
}
