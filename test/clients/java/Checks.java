import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;

/** What programs in Java share: the connection that they are told of, and the lines in which they tell how it went. */
final class Checks {
    static final String LARGE = "xyz\u20ac0123".repeat(12_500);
    private static final Pattern NAME = Pattern.compile("\"check\": \"([^\"]+)\"");

    private Checks() {}

    /** The client has no such thing. */
    static final class Absent extends Exception {
        Absent(String reason) {
            super(reason);
        }
    }

    interface Run {
        void run() throws Exception;
    }

    static String given(String name) {
        return Objects.requireNonNull(System.getenv("CLIENT_" + name), name);
    }

    static Callable<String> plain(Run run) {
        return () -> {
            run.run();
            return "";
        };
    }

    static Callable<String> absent(String reason) {
        return () -> {
            throw new Absent(reason);
        };
    }

    static void equal(Object found, Object expected) {
        if (!Objects.equals(found, expected)) throw new IllegalStateException("found " + found + ", expected " + expected);
    }

    /** Asks until the answer is yes, one question after the other. */
    static void until(Callable<Boolean> ask) throws Exception {
        for (int attempt = 0; attempt < 20_000; attempt++) if (ask.call()) return;
        throw new IllegalStateException("20,000 questions were answered with no");
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        text.chars().forEach(c -> {
            if (c == '"' || c == '\\') json.append('\\').append((char) c);
            else if (c < 0x20) json.append(String.format("\\u%04x", c));
            else json.append((char) c);
        });
        return json.append('"').toString();
    }

    private static void tell(String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    private static void tell(String check, String ok, String detail) {
        tell(String.format("{\"check\":%s,\"ok\":%s,\"detail\":%s}", quoted(check), ok, quoted(detail)));
    }

    /** @param list the file of the checks and their order */
    static void run(Path list, String version, String mode, Map<String, Callable<String>> checks) throws IOException {
        String runtime = "Java " + Runtime.version().feature();
        tell(String.format("{\"version\":%s,\"runtime\":%s,\"mode\":%s}", quoted(version), quoted(runtime), quoted(mode)));
        NAME.matcher(Files.readString(list)).results().map(match -> match.group(1)).forEach(name -> {
            try {
                tell(name, "true", Objects.requireNonNull(checks.get(name), "the program has no such check").call());
            } catch (Absent reason) {
                tell(name, "null", reason.getMessage());
            } catch (Exception error) {
                tell(name, "false", error.toString());
            }
        });
    }
}
