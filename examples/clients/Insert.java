// Insert a mail and wait for its outcome: java -cp 'lib/*' Insert.java ORDER.
// Needs org.mongodb:mongodb-driver-sync in lib/, with the two it depends on.
// MONGODB_URI names the server, MONGODB_DATABASE the database.

import com.mongodb.MongoException;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.Projections;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.bson.BsonValue;
import org.bson.Document;

public class Insert {
    /** Whoever does not know whether the insert was done may do it again. */
    static BsonValue insert(MongoCollection<Document> mails, String order) {
        var message = new Document("subject", "Your order " + order).append("text", "It is on its way.");
        return mails.insertOne(
                new Document("to", "Ada <ada@example.com>")
                        .append("message", message)
                        .append("idempotencyKey", "order-" + order + "-sent"))
                .getInsertedId();
    }

    /** Gives `delivery` when the mail is settled; an interrupt ends the waiting. */
    static Document outcome(MongoCollection<Document> mails, BsonValue id, long milliseconds)
            throws InterruptedException, TimeoutException {
        var start = System.nanoTime();
        var answered = mails.withTimeout(milliseconds, TimeUnit.MILLISECONDS);
        for (long pause = 20; ; pause = Math.min(pause * 3 / 2, 1000)) {
            var mail = answered.find(new Document("_id", id)).projection(Projections.include("delivery")).first();
            var delivery = mail.get("delivery", new Document("state", "NEW"));
            if (Set.of("SUCCESS", "ERROR").contains(delivery.getString("state"))) {
                return delivery;
            }
            if (System.nanoTime() - start > TimeUnit.MILLISECONDS.toNanos(milliseconds)) {
                throw new TimeoutException(delivery.getString("state"));
            }
            Thread.sleep(pause);
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        var environment = System.getenv();
        // How long somebody waits for the answer; the mail goes out after that, too.
        var milliseconds = (long) (1000 * Double.parseDouble(environment.getOrDefault("WAIT_SECONDS", "60")));
        int code;
        try (var client = MongoClients.create(environment.get("MONGODB_URI"))) {
            var database = client.getDatabase(environment.getOrDefault("MONGODB_DATABASE", "mailtrigger"));
            var mails = database.getCollection("mail");
            var id = insert(mails, arguments[0]);
            try {
                var delivery = outcome(mails, id, milliseconds);
                var words = Stream.of(delivery.getString("error"), delivery.get("info", Document.class).getString("response"))
                        .filter(Objects::nonNull).findFirst().orElse("sent before");
                System.out.println(delivery.getString("state") + " " + words);
                code = delivery.getString("state").equals("SUCCESS") ? 0 : 1;
            } catch (TimeoutException | MongoException unknown) {
                System.out.println(id + " is not settled, or nobody knows: " + unknown);
                code = 4;
            }
        }
        System.exit(code);
    }
}
