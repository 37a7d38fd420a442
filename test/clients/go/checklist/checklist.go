// Package checklist is what the programs in Go share: the connection that they are told of, and the lines in which they
// tell how it went.
package checklist

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
)

func given(name string) string { return os.Getenv("CLIENT_" + name) }

// The connection, and values to keep.
var (
	WrongCA = given("WRONG_CA")
	CA      = given("CA")
	Unicode = given("UNICODE")
	Escapes = given("ESCAPES")
	Large   = strings.Repeat("xyz€0123", 12_500)
)

// DSN is a connection string in libpq's form; both clients read it.
func DSN(ca string) string {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var parts []string
	for _, setting := range [][2]string{
		{"host", given("HOST")}, {"port", given("PORT")}, {"user", given("USER")}, {"dbname", given("DATABASE")},
		{"sslmode", "verify-full"}, {"sslrootcert", ca}, {"sslcert", given("CERT")}, {"sslkey", given("KEY")},
	} {
		parts = append(parts, fmt.Sprintf("%s='%s'", setting[0], quote.Replace(setting[1])))
	}
	return strings.Join(parts, " ")
}

type absent string

func (reason absent) Error() string { return string(reason) }

// Absent says that the client has no such thing.
func Absent(reason string) Check { return func() (string, error) { return "", absent(reason) } }

// Check returns a detail for the table, or why it failed.
type Check func() (string, error)

// Plain is a check without a detail.
func Plain(run func() error) Check { return func() (string, error) { return "", run() } }

// Equal compares in depth.
func Equal(found, expected any) error {
	if reflect.DeepEqual(found, expected) {
		return nil
	}
	return fmt.Errorf("found %.200q, expected %.200q", fmt.Sprint(found), fmt.Sprint(expected))
}

// Until asks until the answer is yes, one question after the other.
func Until(ask func() (bool, error)) error {
	for range 20_000 {
		if yes, err := ask(); yes || err != nil {
			return err
		}
	}
	return errors.New("20,000 questions were answered with no")
}

// Version is that of a module in this program.
func Version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return strings.TrimPrefix(dependency.Version, "v")
			}
		}
	}
	return "unknown"
}

func tell(line any) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil {
		panic(err)
	}
}

type outcome struct {
	Check  string `json:"check"`
	OK     *bool  `json:"ok"`
	Detail string `json:"detail"`
}

func outcomeOf(name string, check Check) outcome {
	yes, no := true, false
	if check == nil {
		return outcome{name, &no, "the program has no such check"}
	}
	detail, err := check()
	var reason absent
	if errors.As(err, &reason) {
		return outcome{name, nil, reason.Error()}
	}
	if err != nil {
		return outcome{name, &no, err.Error()}
	}
	return outcome{name, &yes, detail}
}

// Run goes through the checks of the file that the first argument names.
func Run(version, mode string, checks map[string]Check) {
	tell(map[string]string{"version": version, "runtime": "Go " + strings.TrimPrefix(runtime.Version(), "go"), "mode": mode})
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var names []struct{ Check string }
	if err := json.Unmarshal(text, &names); err != nil {
		panic(err)
	}
	for _, each := range names {
		tell(outcomeOf(each.Check, checks[each.Check]))
	}
}
