package db

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// query is a prepared statement that changes nothing. The driver has itself told the names and types of all columns each
// time it runs one, and makes two objects of each text. This has them told once, and makes two of all texts of a row. What
// is out of the ordinary is left to the driver.
type query struct {
	byDriver
	c       *conn
	handle  uintptr // a sqlite3_stmt*
	columns []string
	anew    int32 // how often SQLite has prepared it again
	running bool
	bound   []int32 // parameters that are texts
	texts   []cell  // of the present row
}

type byDriver interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// cell is the text of a column, as SQLite has it until the next row.
type cell struct {
	column int
	bytes  []byte
}

// PrepareContext prepares a statement of the connection.
func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := c.full.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	handle := member(s, "pstmt")
	if inner, ok := s.(byDriver); ok && handle != 0 && c.handle != 0 && c.reads(handle) {
		return &query{byDriver: inner, c: c, handle: handle, columns: c.columns(handle)}, nil
	}
	return s, nil
}

// reads says whether a statement changes nothing, takes numbered parameters and has no times, which the driver would make
// of texts.
func (c *conn) reads(statement uintptr) bool {
	if sqlite3.Xsqlite3_stmt_readonly(c.thread, statement) == 0 {
		return false
	}
	for i := range sqlite3.Xsqlite3_column_count(c.thread, statement) {
		switch strings.ToUpper(libc.GoString(sqlite3.Xsqlite3_column_decltype(c.thread, statement, i))) {
		case "DATE", "DATETIME", "TIMESTAMP":
			return false
		}
	}
	for i := range sqlite3.Xsqlite3_bind_parameter_count(c.thread, statement) {
		if name := libc.GoString(sqlite3.Xsqlite3_bind_parameter_name(c.thread, statement, i+1)); name != "" && name[0] != '?' {
			return false
		}
	}
	return true
}

func (c *conn) columns(statement uintptr) []string {
	names := make([]string, sqlite3.Xsqlite3_column_count(c.thread, statement))
	for i := range names {
		names[i] = libc.GoString(sqlite3.Xsqlite3_column_name(c.thread, statement, int32(i)))
	}
	return names
}

// QueryContext runs the query. The driver does that where the context may end, as it watches it, and where it makes
// something else of an argument.
func (q *query) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if q.running {
		return nil, errRunning
	}
	if ctx.Done() == nil {
		if q.bind(args) {
			return q.run(ctx)
		}
		q.reset()
	}
	byDriver, err := q.byDriver.QueryContext(ctx, args)
	if err != nil || !hasRow(byDriver) {
		return byDriver, err
	}
	return q.begin(rows{ctx: ctx, byDriver: byDriver, first: true}), nil
}

func (q *query) run(ctx context.Context) (driver.Rows, error) {
	switch result := sqlite3.Xsqlite3_step(q.c.thread, q.handle); result {
	case sqlite3.SQLITE_ROW:
		return q.begin(rows{ctx: ctx, first: true}), nil
	case sqlite3.SQLITE_DONE:
		return q.begin(rows{ctx: ctx, ended: true}), nil
	default:
		defer q.reset()
		return nil, q.c.resultError(result)
	}
}

// errRunning is said instead of beginning a run anew that somebody is in the midst of, as SQLite would.
var errRunning = errors.New("the rows of the same query are still being read in this transaction")

func (q *query) begin(r rows) *rows {
	if now := sqlite3.Xsqlite3_stmt_status(q.c.thread, q.handle, sqlite3.SQLITE_STMTSTATUS_REPREPARE, 0); now != q.anew {
		q.anew, q.columns = now, q.c.columns(q.handle) // as somebody has changed the schema
	}
	q.running = true
	r.q = q
	return &r
}

// hasRow says whether the driver is at the first row of a run.
func hasRow(byDriver driver.Rows) bool {
	empty := reflect.Indirect(reflect.ValueOf(byDriver)).FieldByName("empty")
	return empty.Kind() == reflect.Bool && !empty.Bool()
}

// bind gives the parameters their values. It does not know those of which the driver makes something else.
func (q *query) bind(args []driver.NamedValue) bool {
	if len(args) < int(sqlite3.Xsqlite3_bind_parameter_count(q.c.thread, q.handle)) {
		return false
	}
	for i, arg := range args {
		if arg.Name != "" || q.bindOne(int32(i+1), arg.Value) != sqlite3.SQLITE_OK {
			return false
		}
	}
	return true
}

func (q *query) bindOne(parameter int32, value driver.Value) int32 {
	switch v := value.(type) {
	case nil:
		return sqlite3.Xsqlite3_bind_null(q.c.thread, q.handle, parameter)
	case int64:
		return sqlite3.Xsqlite3_bind_int64(q.c.thread, q.handle, parameter, v)
	case float64:
		return sqlite3.Xsqlite3_bind_double(q.c.thread, q.handle, parameter, v)
	case bool:
		if v {
			return sqlite3.Xsqlite3_bind_int64(q.c.thread, q.handle, parameter, 1)
		}
		return sqlite3.Xsqlite3_bind_int64(q.c.thread, q.handle, parameter, 0)
	case string:
		q.bound = append(q.bound, parameter)
		first := unsafe.StringData(v)
		if v == "" {
			first = &noText
		}
		defer runtime.KeepAlive(first) // SQLite takes a copy before it returns
		return sqlite3.Xsqlite3_bind_text(q.c.thread, q.handle, parameter, uintptr(unsafe.Pointer(first)), int32(len(v)), sqlite3.SQLITE_TRANSIENT)
	}
	return sqlite3.SQLITE_MISMATCH
}

var noText byte // where an empty text begins: one that begins nowhere is NULL

// reset ends the run of the query, and forgets the texts that it was given.
func (q *query) reset() {
	sqlite3.Xsqlite3_reset(q.c.thread, q.handle)
	for _, parameter := range q.bound {
		sqlite3.Xsqlite3_bind_null(q.c.thread, q.handle, parameter)
	}
	q.bound = q.bound[:0]
}

// rows is one run of a query.
type rows struct {
	q        *query
	ctx      context.Context
	byDriver driver.Rows // where the driver began it
	first    bool        // its first row is there already
	ended    bool
}

// Columns returns the names of the columns.
func (r *rows) Columns() []string { return r.q.columns }

// Close ends the run.
func (r *rows) Close() error {
	r.q.running = false
	if r.byDriver != nil {
		return r.byDriver.Close()
	}
	r.q.reset()
	return nil
}

// Next reads the next row. Its values are those of the driver.
func (r *rows) Next(dest []driver.Value) error {
	if !r.first && !r.ended {
		result := sqlite3.Xsqlite3_step(r.q.c.thread, r.q.handle)
		r.ended = result != sqlite3.SQLITE_ROW
		if r.ended && result != sqlite3.SQLITE_DONE {
			return cmp.Or(r.ctx.Err(), r.q.c.resultError(result)) // SQLite only knows that it was interrupted
		}
	}
	if r.ended {
		return io.EOF
	}
	r.first = false
	r.q.read(dest)
	return nil
}

// mostTogether is how large a text may be to share its memory with the others of its row: who keeps one of them keeps all.
const mostTogether = 256

func (q *query) read(dest []driver.Value) {
	length := 0
	q.texts = q.texts[:0]
	for i := range dest {
		column := int32(i)
		switch sqlite3.Xsqlite3_column_type(q.c.thread, q.handle, column) {
		case sqlite3.SQLITE_INTEGER:
			dest[i] = sqlite3.Xsqlite3_column_int64(q.c.thread, q.handle, column)
		case sqlite3.SQLITE_FLOAT:
			dest[i] = sqlite3.Xsqlite3_column_double(q.c.thread, q.handle, column)
		case sqlite3.SQLITE_TEXT:
			t := cell{i, q.bytes(column, sqlite3.Xsqlite3_column_text(q.c.thread, q.handle, column))}
			if len(t.bytes) > mostTogether {
				dest[i] = string(t.bytes)
				continue
			}
			q.texts = append(q.texts, t)
			length += len(t.bytes)
		case sqlite3.SQLITE_BLOB:
			dest[i] = bytes.Clone(q.bytes(column, sqlite3.Xsqlite3_column_blob(q.c.thread, q.handle, column)))
		default:
			dest[i] = nil
		}
	}
	together, values := make([]byte, 0, length), make([]string, len(q.texts))
	for i, t := range q.texts {
		begin := len(together)
		together = append(together, t.bytes...)
		values[i] = unsafe.String(unsafe.SliceData(together[begin:]), len(t.bytes))
		dest[t.column] = boxed(&values[i])
	}
}

// bytes are those of a text or a blob at an address.
func (q *query) bytes(column int32, address uintptr) []byte {
	n := sqlite3.Xsqlite3_column_bytes(q.c.thread, q.handle, column)
	if address == 0 || n == 0 {
		return nil
	}
	return unsafe.Slice(at[byte](address), n)
}

// boxed is a value that is the string itself, which must not change any more. A conversion would make a copy.
func boxed(s *string) (value driver.Value) {
	value = "" // for its type
	(*[2]unsafe.Pointer)(unsafe.Pointer(&value))[1] = unsafe.Pointer(s)
	return value
}

// resultError is an error of SQLite.
type resultError struct {
	code int32
	text string
}

func (c *conn) resultError(code int32) error {
	what, why := libc.GoString(sqlite3.Xsqlite3_errstr(c.thread, code)), libc.GoString(sqlite3.Xsqlite3_errmsg(c.thread, c.handle))
	if why != what {
		what += ": " + why
	}
	return &resultError{code, fmt.Sprintf("%s (%d)", what, code)}
}

// Code is a result code (https://sqlite.org/rescode.html).
func (e *resultError) Code() int { return int(e.code) }

// Error says it in SQLite's words, as the driver does.
func (e *resultError) Error() string { return e.text }
