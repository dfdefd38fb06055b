'use strict';

// BullMQ → nodemailer: a lease by findOneAndUpdate, a pooled connection, the result by updateOne.

const { Worker } = require('bullmq');
const { MongoClient, ObjectId } = require('mongodb');
const nodemailer = require('nodemailer');

const LEASE_MS = 60_000;
const CONCURRENCY = Number(process.env.BENCH_CONCURRENCY);

async function main() {
    const client = await MongoClient.connect(process.env.MONGODB_URI);
    const mails = client.db('mailtrigger').collection('mail');
    const transport = nodemailer.createTransport({
        host: new URL(process.env.SMTP_CONNECTION_URI).hostname,
        port: Number(new URL(process.env.SMTP_CONNECTION_URI).port),
        pool: true,
        maxConnections: Math.max(20, CONCURRENCY),
        maxMessages: Infinity,
    });

    async function claim(id) {
        const now = new Date();
        const waits = [
            { 'delivery.state': { $in: [null, 'PENDING', 'RETRY'] } },
            { 'delivery.state': 'PROCESSING', 'delivery.leaseExpireTime': { $lt: now } },
        ];
        const lease = {
            'delivery.state': 'PROCESSING',
            'delivery.startTime': now,
            'delivery.leaseExpireTime': new Date(now.getTime() + LEASE_MS),
        };
        return mails.findOneAndUpdate(
            { _id: id, $or: waits },
            { $set: lease, $inc: { 'delivery.attempts': 1 } },
            { returnDocument: 'after' },
        );
    }

    async function finish(document, outcome) {
        const mine = {
            _id: document._id,
            'delivery.state': 'PROCESSING',
            'delivery.attempts': document.delivery.attempts,
        };
        const changes = { 'delivery.endTime': new Date(), 'delivery.leaseExpireTime': null };
        for (const [name, value] of Object.entries(outcome)) changes[`delivery.${name}`] = value;
        await mails.updateOne(mine, { $set: changes });
    }

    async function send(job) {
        const id = new ObjectId(job.data.id);
        const document = await claim(id);
        if (!document) {
            const held = await mails.findOne({ _id: id, 'delivery.state': 'PROCESSING' });
            if (held) throw new Error('another worker has the lease');
            return;
        }
        try {
            const { accepted, rejected, response, messageId } = await transport.sendMail({
                from: 'Bench <bench@example.com>',
                to: document.to,
                ...document.message,
            });
            await finish(document, { state: 'SUCCESS', info: { accepted, rejected, response, messageId } });
        } catch (error) {
            await finish(document, { state: 'ERROR', error: error.message });
        }
    }

    const { hostname, port } = new URL(process.env.CELERY_BROKER_URL);
    const connection = { host: hostname, port: Number(port) };
    const worker = new Worker('mail', send, { connection, concurrency: CONCURRENCY });
    worker.on('error', (error) => console.error(error));
    await worker.waitUntilReady();
    console.log('ready.');
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
