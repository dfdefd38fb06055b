'use strict';

// Change stream → BullMQ: one job for each new mail, added in bulk as they come.

const { Queue } = require('bullmq');
const { MongoClient } = require('mongodb');

const BULK = 500;
const JOB = {
    // A claim that fails because another worker's lease holds is tried again until the lease is over.
    attempts: 30,
    backoff: { type: 'fixed', delay: 5000 },
    removeOnComplete: true,
    removeOnFail: 1000,
};

async function main() {
    const client = await MongoClient.connect(process.env.MONGODB_URI);
    const database = client.db('mailtrigger');
    const tokens = database.collection('tokens');
    const { hostname, port } = new URL(process.env.CELERY_BROKER_URL);
    const queue = new Queue('mail', { connection: { host: hostname, port: Number(port) } });

    const saved = await tokens.findOne({ _id: 'relay' });
    const pipeline = [{ $match: { operationType: 'insert' } }, { $project: { documentKey: 1 } }];
    const stream = database.collection('mail').watch(pipeline, saved ? { resumeAfter: saved.token } : {});
    await stream.tryNext();
    console.log('relay ready');

    for (;;) {
        const events = [await stream.next()];
        while (events.length < BULK) {
            const event = stream.cursor.bufferedCount() ? await stream.tryNext() : null;
            if (!event) break;
            events.push(event);
        }
        const ids = events.map((event) => event.documentKey._id.toHexString());
        await queue.addBulk(ids.map((id) => ({ name: 'send', data: { id }, opts: { ...JOB, jobId: `mail-${id}` } })));
        const token = { token: events.at(-1)._id };
        await tokens.updateOne({ _id: 'relay' }, { $set: token }, { upsert: true });
    }
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
