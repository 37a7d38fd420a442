// pgx goes through the checks.
package main

import (
	"context"
	"errors"
	"fmt"

	. "clients/checklist"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	insert = "INSERT INTO patients (id, name, diagnosis, note) VALUES ($1, $2, $3, $4)"
	load   = "SELECT name, diagnosis, note FROM patients WHERE id = $1"
)

var background = context.Background()

func connect(ca string) (*pgx.Conn, error) { return pgx.Connect(background, DSN(ca)) }

type client struct{ *pgx.Conn }

func (c client) run(statement string, values ...any) error {
	_, err := c.Exec(background, statement, values...)
	return err
}

func (c client) rows(statement string, values ...any) ([][]any, error) {
	rows, err := c.Query(background, statement, values...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
}

func (c client) finds(expected [][]any, statement string, values ...any) error {
	found, err := c.rows(statement, values...)
	if err != nil {
		return err
	}
	if len(found) == 0 && len(expected) == 0 {
		return nil
	}
	return Equal(found, expected)
}

func (c client) keeps(id int, value any, options ...any) error {
	if err := c.run(insert, append(options, id, value, value, value)...); err != nil {
		return err
	}
	return c.finds([][]any{{value, value, value}}, load, append(options, id)...)
}

func (c client) finish(first error) error { return errors.Join(first, c.Close(background)) }

func (c client) names(first, last int) ([]string, error) {
	rows, err := c.Query(background, "SELECT name FROM patients WHERE id BETWEEN $1 AND $2 ORDER BY id", first, last)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (c client) namesAre(first, count int) error {
	found, err := c.names(first, first+count-1)
	if err != nil {
		return err
	}
	var expected []string
	for n := range count {
		expected = append(expected, fmt.Sprintf("name %d", first+n))
	}
	return Equal(found, expected)
}

func (c client) active(pid uint32, condition string) (bool, error) {
	rows, err := c.rows("SELECT 1 FROM pg_stat_activity WHERE pid = $1 "+condition, pid)
	return len(rows) == 1, err
}

func (c client) keep(id int, value any) Check {
	return Plain(func() error { return c.keeps(id, value) })
}

func (c client) search() error {
	return errors.Join(
		c.run(insert, 4, "Barbara", "flu", ""),
		c.finds([][]any{{int32(4)}}, "SELECT id FROM patients WHERE name = $1", "Barbara"),
		c.finds(nil, "SELECT id FROM patients WHERE name = $1", "barbara"),
		c.finds([][]any{{int32(4)}}, "SELECT id FROM patients WHERE name = 'Barbara'"),
	)
}

func (c client) prepared() error {
	for name, statement := range map[string]string{"insert": insert, "load": load} {
		if _, err := c.Prepare(background, name, statement); err != nil {
			return err
		}
	}
	for id := 100; id < 150; id++ {
		name := fmt.Sprintf("name %d", id)
		if err := errors.Join(c.run("insert", id, name, "", ""), c.finds([][]any{{name, "", ""}}, "load", id)); err != nil {
			return err
		}
	}
	return nil
}

func (c client) batch() error {
	var batch pgx.Batch
	for id := 200; id < 220; id++ {
		batch.Queue(insert, id, fmt.Sprintf("name %d", id), "flu", "plain")
	}
	return errors.Join(c.SendBatch(background, &batch).Close(), c.namesAre(200, 20))
}

// The pipeline of pgconn, below pgx: each statement is parsed by the server as it comes.
func (c client) pipeline() error {
	pipeline := c.PgConn().StartPipeline(background)
	for id := 300; id < 310; id++ {
		values := [][]byte{fmt.Append(nil, id), fmt.Appendf(nil, "name %d", id), {}, {}}
		pipeline.SendQueryParams(insert, values, nil, nil, nil)
	}
	return errors.Join(pipeline.Sync(), pipeline.Close(), c.namesAre(300, 10))
}

func (c client) update() error {
	return errors.Join(
		c.run(insert, 12, "before", "before", "before"),
		c.run("UPDATE patients SET name = $1, diagnosis = $2 WHERE id = $3", "after", "then", 12),
		c.finds([][]any{{"after", "then", "before"}}, load, 12),
	)
}

func (c client) rollback() error {
	ends := map[int]func(pgx.Tx) error{
		13: func(tx pgx.Tx) error { return tx.Rollback(background) },
		14: func(tx pgx.Tx) error { return tx.Commit(background) },
	}
	for id, end := range ends {
		tx, err := c.Begin(background)
		if err != nil {
			return err
		}
		_, err = tx.Exec(background, insert, id, fmt.Sprintf("name %d", id), "", "")
		if err := errors.Join(err, end(tx)); err != nil {
			return err
		}
	}
	return c.finds([][]any{{"name 14"}}, "SELECT name FROM patients WHERE id IN (13, 14)")
}

// pgx gives up a session whose context ends; CancelRequest leaves it.
func (c client) cancel() error {
	conn, err := connect(CA)
	if err != nil {
		return err
	}
	sleeper := client{conn}
	pid := sleeper.PgConn().PID()
	ended := make(chan error)
	go func() { ended <- sleeper.run("SELECT pg_sleep(60)") }()
	err = Until(func() (bool, error) { return c.active(pid, "AND wait_event = 'PgSleep'") })
	err = errors.Join(err, sleeper.PgConn().CancelRequest(background))
	var reason *pgconn.PgError
	if !errors.As(<-ended, &reason) || reason.Code != "57014" {
		err = errors.Join(err, fmt.Errorf("the statement ended with %v", reason))
	}
	return sleeper.finish(errors.Join(err, sleeper.finds([][]any{{int32(pid)}}, "SELECT pg_backend_pid()")))
}

func (c client) goesOn() error {
	if err := c.run(insert, 15, "once", "", ""); err != nil {
		return err
	}
	var reason *pgconn.PgError
	if err := c.run(insert, 15, "twice", "", ""); !errors.As(err, &reason) || reason.Code != "23505" {
		return fmt.Errorf("a second row of the same key: %v", err)
	}
	return c.finds([][]any{{"once", "", ""}}, load, 15)
}

func (c client) two() error {
	conn, err := connect(CA)
	if err != nil {
		return err
	}
	second := client{conn}
	return second.finish(errors.Join(
		c.keeps(16, "first"),
		second.keeps(17, "second"),
		second.finds([][]any{{"first", "first", "first"}}, load, 16),
		c.finds([][]any{{"second", "second", "second"}}, load, 17),
	))
}

func (c client) closes() error {
	conn, err := connect(CA)
	if err != nil {
		return err
	}
	pid := conn.PgConn().PID()
	if err := conn.Close(background); err != nil {
		return err
	}
	return Until(func() (bool, error) {
		open, err := c.active(pid, "")
		return !open, err
	})
}

func wrongCA() (string, error) {
	_, err := connect(WrongCA)
	if err == nil {
		return "", errors.New("it was not refused")
	}
	return err.Error(), nil
}

func main() {
	conn, err := connect(CA)
	if err != nil {
		panic(err)
	}
	c := client{conn}
	Run(Version("github.com/jackc/pgx/v5"), "prepared statements of its own, binary", map[string]Check{
		"connect": Plain(func() error { return c.finds([][]any{{int32(1)}}, "SELECT 1") }),
		"literals": Plain(func() error {
			return errors.Join(
				c.run("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')"),
				c.finds([][]any{{"Ada", "gout", "plain"}}, "SELECT name, diagnosis, note FROM patients WHERE id = 1"),
			)
		}),
		"parameters-text": func() (string, error) {
			return "with QueryExecModeExec", c.keeps(2, "Grace", pgx.QueryExecModeExec)
		},
		"parameters-binary": c.keep(3, "Edsger"),
		"search":            Plain(c.search),
		"prepared-50":       Plain(c.prepared),
		"batch":             Plain(c.batch),
		"pipeline":          Plain(c.pipeline),
		"null":              c.keep(5, nil),
		"empty":             c.keep(6, ""),
		"unicode":           c.keep(7, Unicode),
		"escapes": Plain(func() error {
			return errors.Join(c.keeps(8, Escapes), c.keeps(9, Escapes, pgx.QueryExecModeSimpleProtocol))
		}),
		"large": c.keep(10, Large),
		"returning": Plain(func() error {
			return c.finds([][]any{{int32(11), "Alan", "cold"}}, insert+" RETURNING id, name, diagnosis", 11, "Alan", "cold", "")
		}),
		"update":          Plain(c.update),
		"rollback":        Plain(c.rollback),
		"cancel":          Plain(c.cancel),
		"error":           Plain(c.goesOn),
		"two-connections": Plain(c.two),
		"close":           Plain(c.closes),
		"wrong-ca":        wrongCA,
	})
	if err := c.Close(background); err != nil {
		panic(err)
	}
}
