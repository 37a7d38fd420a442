import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** pgjdbc goes through the checks. Argument: the file of the checks. */
final class PgJdbc {
    private static final String INSERT = "INSERT INTO patients (id, name, diagnosis, note) VALUES (?, ?, ?, ?)";
    private static final String SELECT = "SELECT name, diagnosis, note FROM patients WHERE id = ?";

    private final Connection connection = connect("CA");

    private PgJdbc() throws SQLException {}

    private static Connection connect(String authority) throws SQLException {
        Properties settings = new Properties();
        settings.setProperty("user", Checks.given("USER"));
        settings.setProperty("sslmode", "verify-full");
        settings.setProperty("sslrootcert", Checks.given(authority));
        settings.setProperty("sslcert", Checks.given("CERT"));
        // In PEM it would have to be an RSA key, or the setting pemKeyAlgorithm.
        settings.setProperty("sslkey", Checks.given("KEY_DER"));
        String url = "jdbc:postgresql://" + Checks.given("HOST") + ":" + Checks.given("PORT") + "/" + Checks.given("DATABASE");
        return DriverManager.getConnection(url, settings);
    }

    private static void fill(PreparedStatement statement, Object... values) throws SQLException {
        for (int place = 0; place < values.length; place++) {
            if (values[place] instanceof Integer number) statement.setInt(place + 1, number);
            else statement.setString(place + 1, (String) values[place]);
        }
    }

    /** @return rows of texts; null when the statement has none */
    private static List<List<String>> ask(Connection by, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = by.prepareStatement(sql)) {
            fill(statement, values);
            return statement.execute() ? texts(statement.getResultSet()) : null;
        }
    }

    private static List<List<String>> texts(ResultSet rows) throws SQLException {
        List<List<String>> found = new ArrayList<>();
        while (rows.next()) {
            String[] row = new String[rows.getMetaData().getColumnCount()];
            for (int column = 0; column < row.length; column++) row[column] = rows.getString(column + 1);
            found.add(Arrays.asList(row));
        }
        return found;
    }

    private static List<List<String>> row(String... texts) {
        return List.of(Arrays.asList(texts));
    }

    private static List<String> numbered(int count) {
        return IntStream.range(0, count).mapToObj(n -> "name " + n).toList();
    }

    private static void keeps(Connection by, int id, String value) throws SQLException {
        ask(by, INSERT, id, value, value, value);
        Checks.equal(ask(by, SELECT, id), row(value, value, value));
    }

    private Callable<String> keep(int id, String value) {
        return Checks.plain(() -> keeps(connection, id, value));
    }

    private List<String> names(int first, int last) throws SQLException {
        String sql = "SELECT name FROM patients WHERE id BETWEEN ? AND ? ORDER BY id";
        return ask(connection, sql, first, last).stream().map(row -> row.get(0)).toList();
    }

    private static int pid(Connection of) throws SQLException {
        return Integer.parseInt(ask(of, "SELECT pg_backend_pid()").get(0).get(0));
    }

    private boolean active(int pid, String condition) throws SQLException {
        return !ask(connection, "SELECT 1 FROM pg_stat_activity WHERE pid = ? " + condition, pid).isEmpty();
    }

    private static String stateOf(Checks.Run run) throws Exception {
        try {
            run.run();
            return "none";
        } catch (SQLException error) {
            return error.getSQLState();
        }
    }

    private void literals() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')");
            ResultSet rows = statement.executeQuery("SELECT name, diagnosis, note FROM patients WHERE id = 1");
            Checks.equal(texts(rows), row("Ada", "gout", "plain"));
        }
    }

    private void search() throws SQLException {
        ask(connection, INSERT, 4, "Barbara", "flu", "");
        Checks.equal(ask(connection, "SELECT id FROM patients WHERE name = ?", "Barbara"), row("4"));
        Checks.equal(ask(connection, "SELECT id FROM patients WHERE name = ?", "barbara"), List.of());
        Checks.equal(ask(connection, "SELECT id FROM patients WHERE name = 'Barbara'"), row("4"));
    }

    private void prepared() throws SQLException {
        try (PreparedStatement store = connection.prepareStatement(INSERT);
                PreparedStatement load = connection.prepareStatement(SELECT)) {
            for (String name : numbered(50)) {
                int id = 100 + Integer.parseInt(name.substring(5));
                fill(store, id, name, "flu", "plain");
                store.executeUpdate();
                fill(load, id);
                Checks.equal(texts(load.executeQuery()), row(name, "flu", "plain"));
            }
        }
    }

    private void batch() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
            for (String name : numbered(20)) {
                fill(statement, 200 + Integer.parseInt(name.substring(5)), name, "flu", "plain");
                statement.addBatch();
            }
            statement.executeBatch();
        }
        Checks.equal(names(200, 219), numbered(20));
    }

    private void returning() throws SQLException {
        String sql = INSERT + " RETURNING id, name, diagnosis";
        Checks.equal(ask(connection, sql, 11, "Alan", "cold", ""), row("11", "Alan", "cold"));
    }

    private void update() throws SQLException {
        ask(connection, INSERT, 12, "before", "before", "before");
        ask(connection, "UPDATE patients SET name = ?, diagnosis = ? WHERE id = ?", "after", "then", 12);
        Checks.equal(ask(connection, SELECT, 12), row("after", "then", "before"));
    }

    private void rollback() throws SQLException {
        connection.setAutoCommit(false);
        try {
            ask(connection, INSERT, 13, "rollback", "", "");
            connection.rollback();
            ask(connection, INSERT, 14, "commit", "", "");
            connection.commit();
        } finally {
            connection.setAutoCommit(true);
        }
        Checks.equal(names(13, 14), List.of("commit"));
    }

    private void cancel() throws Exception {
        try (Connection sleeper = connect("CA"); Statement statement = sleeper.createStatement()) {
            int pid = pid(sleeper);
            CompletableFuture<String> state = CompletableFuture.supplyAsync(() -> {
                try {
                    return stateOf(() -> statement.execute("SELECT pg_sleep(60)"));
                } catch (Exception error) {
                    return error.toString();
                }
            });
            Checks.until(() -> active(pid, "AND wait_event = 'PgSleep'"));
            statement.cancel();
            Checks.equal(state.get(), "57014");
            Checks.equal(pid(sleeper), pid);
        }
    }

    private void error() throws Exception {
        ask(connection, INSERT, 15, "once", "", "");
        Checks.equal(stateOf(() -> ask(connection, INSERT, 15, "twice", "", "")), "23505");
        Checks.equal(names(15, 15), List.of("once"));
    }

    private void twoConnections() throws SQLException {
        try (Connection second = connect("CA")) {
            keeps(connection, 16, "first");
            keeps(second, 17, "second");
            Checks.equal(ask(second, SELECT, 16), row("first", "first", "first"));
            Checks.equal(names(17, 17), List.of("second"));
        }
    }

    private void close() throws Exception {
        Connection second = connect("CA");
        int pid = pid(second);
        second.close();
        Checks.until(() -> !active(pid, ""));
    }

    private static String wrongAuthority() {
        try (Connection second = connect("WRONG_CA")) {
            throw new IllegalStateException("it was not refused");
        } catch (SQLException error) {
            return error.getMessage() + (error.getCause() == null ? "" : ": " + error.getCause().getMessage());
        }
    }

    private Map<String, Callable<String>> checks() {
        Map<String, Callable<String>> checks = new HashMap<>();
        checks.put("connect", Checks.plain(() -> Checks.equal(ask(connection, "SELECT 1"), row("1"))));
        checks.put("literals", Checks.plain(this::literals));
        checks.put("parameters-text", keep(2, "Grace"));
        checks.put("parameters-binary", Checks.absent("sends texts as text; numbers in binary once prepared"));
        checks.put("search", Checks.plain(this::search));
        checks.put("prepared-50", Checks.plain(this::prepared));
        checks.put("batch", Checks.plain(this::batch));
        checks.put("pipeline", Checks.absent("pipelines within executeBatch only"));
        checks.put("null", keep(5, null));
        checks.put("empty", keep(6, ""));
        checks.put("unicode", keep(7, Checks.given("UNICODE")));
        checks.put("escapes", keep(8, Checks.given("ESCAPES")));
        checks.put("large", keep(10, Checks.LARGE));
        checks.put("returning", Checks.plain(this::returning));
        checks.put("update", Checks.plain(this::update));
        checks.put("rollback", Checks.plain(this::rollback));
        checks.put("cancel", Checks.plain(this::cancel));
        checks.put("error", Checks.plain(this::error));
        checks.put("two-connections", Checks.plain(this::twoConnections));
        checks.put("close", Checks.plain(this::close));
        checks.put("wrong-ca", PgJdbc::wrongAuthority);
        return checks;
    }

    public static void main(String[] arguments) throws Exception {
        PgJdbc client = new PgJdbc();
        String mode = "unnamed statements in text, prepared from the fifth on";
        Checks.run(Path.of(arguments[0]), org.postgresql.util.DriverInfo.DRIVER_VERSION, mode, client.checks());
        client.connection.close();
    }
}
