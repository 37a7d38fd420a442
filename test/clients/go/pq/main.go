// lib/pq, on database/sql, goes through the checks.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	. "clients/checklist"

	"github.com/lib/pq"
)

const (
	insert = "INSERT INTO patients (id, name, diagnosis, note) VALUES ($1, $2, $3, $4)"
	load   = "SELECT name, diagnosis, note FROM patients WHERE id = $1"
)

var background = context.Background()

// querier is a pool or one connection of it.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func open(ca, more string) *sql.DB {
	db, err := sql.Open("postgres", DSN(ca)+more)
	if err != nil {
		panic(err)
	}
	return db
}

func run(by querier, statement string, values ...any) error {
	_, err := by.ExecContext(background, statement, values...)
	return err
}

// texts reads rows of text columns; NULL is "NULL".
func texts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var found []string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		places := make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		for _, value := range values {
			if !value.Valid {
				value.String = "NULL"
			}
			found = append(found, value.String)
		}
	}
	return found, rows.Err()
}

func finds(by querier, expected []string, statement string, values ...any) error {
	found, err := texts(by.QueryContext(background, statement, values...))
	if err != nil {
		return err
	}
	return Equal(found, expected)
}

func keeps(by querier, id int, value any) error {
	text, ok := value.(string)
	if !ok {
		text = "NULL"
	}
	return errors.Join(run(by, insert, id, value, value, value), finds(by, []string{text, text, text}, load, id))
}

func keep(by querier, id int, value any) Check {
	return Plain(func() error { return keeps(by, id, value) })
}

func names(first, count int) (expected []string) {
	for n := range count {
		expected = append(expected, fmt.Sprintf("name %d", first+n))
	}
	return expected
}

func search(db *sql.DB) error {
	return errors.Join(
		run(db, insert, 4, "Barbara", "flu", ""),
		finds(db, []string{"4"}, "SELECT id FROM patients WHERE name = $1", "Barbara"),
		finds(db, nil, "SELECT id FROM patients WHERE name = $1", "barbara"),
		finds(db, []string{"4"}, "SELECT id FROM patients WHERE name = 'Barbara'"),
	)
}

func prepared(db *sql.DB) error {
	store, err := db.Prepare(insert)
	if err != nil {
		return err
	}
	defer store.Close()
	read, err := db.Prepare(load)
	if err != nil {
		return err
	}
	defer read.Close()
	for _, name := range names(0, 50) {
		var id int
		fmt.Sscanf(name, "name %d", &id)
		if _, err := store.Exec(100+id, name, "flu", "plain"); err != nil {
			return err
		}
		found, err := texts(read.Query(100 + id))
		if err := errors.Join(err, Equal(found, []string{name, "flu", "plain"})); err != nil {
			return err
		}
	}
	return nil
}

func batch(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	store, err := tx.Prepare(insert)
	if err != nil {
		return err
	}
	for n, name := range names(200, 20) {
		if _, err := store.Exec(200+n, name, "flu", "plain"); err != nil {
			return err
		}
	}
	return errors.Join(tx.Commit(), finds(db, names(200, 20), "SELECT name FROM patients WHERE id BETWEEN 200 AND 219 ORDER BY id"))
}

func binary() (string, error) {
	db := open(CA, " binary_parameters=yes")
	defer db.Close()
	return "with binary_parameters=yes", keeps(db, 3, "Edsger")
}

func update(db *sql.DB) error {
	return errors.Join(
		run(db, insert, 12, "before", "before", "before"),
		run(db, "UPDATE patients SET name = $1, diagnosis = $2 WHERE id = $3", "after", "then", 12),
		finds(db, []string{"after", "then", "before"}, load, 12),
	)
}

func rollback(db *sql.DB) error {
	for id, end := range map[int]func(*sql.Tx) error{13: (*sql.Tx).Rollback, 14: (*sql.Tx).Commit} {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		if err := errors.Join(run(tx, insert, id, fmt.Sprintf("name %d", id), "", ""), end(tx)); err != nil {
			return err
		}
	}
	return finds(db, []string{"name 14"}, "SELECT name FROM patients WHERE id IN (13, 14)")
}

func pidOf(conn *sql.Conn) (pid int, err error) {
	err = conn.QueryRowContext(background, "SELECT pg_backend_pid()").Scan(&pid)
	return pid, err
}

func active(db *sql.DB, pid int, condition string) (bool, error) {
	found, err := texts(db.Query("SELECT 1 FROM pg_stat_activity WHERE pid = $1 "+condition, pid))
	return len(found) == 1, err
}

// lib/pq asks the server to cancel and gives the session up; the pool goes on with another.
func cancel(db *sql.DB) (string, error) {
	const detail = "gives the session up and goes on in another"
	conn, err := db.Conn(background)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	pid, err := pidOf(conn)
	if err != nil {
		return "", err
	}
	stoppable, stop := context.WithCancel(background)
	ended := make(chan error)
	go func() {
		_, err := conn.ExecContext(stoppable, "SELECT pg_sleep(60)")
		ended <- err
	}()
	sleeps := func() (bool, error) { return active(db, pid, "AND wait_event = 'PgSleep'") }
	err = Until(sleeps)
	stop()
	var reason *pq.Error
	if because := <-ended; !errors.Is(because, context.Canceled) && (!errors.As(because, &reason) || reason.Code != "57014") {
		return "", errors.Join(err, fmt.Errorf("the statement ended with %v", because))
	}
	return detail, errors.Join(err, Until(func() (bool, error) {
		still, err := sleeps()
		return !still, err
	}))
}

func goesOn(db *sql.DB) error {
	if err := run(db, insert, 15, "once", "", ""); err != nil {
		return err
	}
	var reason *pq.Error
	if err := run(db, insert, 15, "twice", "", ""); !errors.As(err, &reason) || reason.Code != "23505" {
		return fmt.Errorf("a second row of the same key: %v", err)
	}
	return finds(db, []string{"once", "", ""}, load, 15)
}

func two(db *sql.DB) error {
	second := open(CA, "")
	defer second.Close()
	return errors.Join(
		keeps(db, 16, "first"),
		keeps(second, 17, "second"),
		finds(second, []string{"first", "first", "first"}, load, 16),
		finds(db, []string{"second", "second", "second"}, load, 17),
	)
}

func closes(db *sql.DB) error {
	second := open(CA, "")
	conn, err := second.Conn(background)
	if err != nil {
		return err
	}
	pid, err := pidOf(conn)
	if err := errors.Join(err, conn.Close(), second.Close()); err != nil {
		return err
	}
	return Until(func() (bool, error) {
		open, err := active(db, pid, "")
		return !open, err
	})
}

func wrongCA() (string, error) {
	db := open(WrongCA, "")
	defer db.Close()
	if err := db.Ping(); err != nil {
		return err.Error(), nil
	}
	return "", errors.New("it was not refused")
}

func main() {
	db := open(CA, "")
	on := func(check func(*sql.DB) error) Check { return Plain(func() error { return check(db) }) }
	Run(Version("github.com/lib/pq"), "database/sql, unnamed statements in text", map[string]Check{
		"connect": Plain(func() error { return finds(db, []string{"1"}, "SELECT 1") }),
		"literals": Plain(func() error {
			return errors.Join(
				run(db, "INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')"),
				finds(db, []string{"Ada", "gout", "plain"}, "SELECT name, diagnosis, note FROM patients WHERE id = 1"),
			)
		}),
		"parameters-text":   keep(db, 2, "Grace"),
		"parameters-binary": binary,
		"search":            on(search),
		"prepared-50":       on(prepared),
		"batch":             on(batch),
		"pipeline":          Absent("has no pipelines"),
		"null":              keep(db, 5, nil),
		"empty":             keep(db, 6, ""),
		"unicode":           keep(db, 7, Unicode),
		"escapes":           keep(db, 8, Escapes),
		"large":             keep(db, 10, Large),
		"returning": Plain(func() error {
			return finds(db, []string{"11", "Alan", "cold"}, insert+" RETURNING id, name, diagnosis", 11, "Alan", "cold", "")
		}),
		"update":          on(update),
		"rollback":        on(rollback),
		"cancel":          func() (string, error) { return cancel(db) },
		"error":           on(goesOn),
		"two-connections": on(two),
		"close":           on(closes),
		"wrong-ca":        wrongCA,
	})
	if err := db.Close(); err != nil {
		panic(err)
	}
}
