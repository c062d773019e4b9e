package db

import (
	"context"
	"database/sql/driver"
	"reflect"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// logHead is the head of the index of a log (https://sqlite.org/walformat.html#the_wal_index_header). SQLite keeps it
// in memory that all share who have the database open, and writes it with each commit, with a number of the commit and a
// sum over the log, before whoever commits is told that it is done. As long as it is equal, nobody has committed.
type logHead [12]uint32

// read returns the head as it is now. It may be half written, which is equal to no head of before.
func (h *logHead) read() (is logHead) {
	for i := range h {
		is[i] = atomic.LoadUint32(&h[i])
	}
	return is
}

// mapLogHead returns where a connection has the head of its log. It is there until the connection is closed, and is
// only to be read. It is nil where there is none, as in a database without a log. It takes the memory that SQLite has
// mapped: a descriptor of our own could not be closed again without losing SQLite's locks of the file.
func mapLogHead(c full) *logHead {
	handle := reflect.Indirect(reflect.ValueOf(c)).FieldByName("db") // which the driver keeps to itself
	if handle.Kind() != reflect.Uintptr || !hasLog(c) {
		return nil
	}
	thread := libc.NewTLS()
	defer thread.Close()
	name, err := libc.CString("main")
	if err != nil {
		return nil
	}
	defer libc.Xfree(thread, name)
	result := thread.Alloc(int(unsafe.Sizeof(uintptr(0))))
	defer thread.Free(int(unsafe.Sizeof(uintptr(0))))
	if sqlite3.Xsqlite3_file_control(thread, uintptr(handle.Uint()), name, sqlite3.SQLITE_FCNTL_FILE_POINTER, result) != sqlite3.SQLITE_OK {
		return nil
	}
	file := *at[uintptr](result)
	methods := at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](file).FpMethods)
	if methods.FiVersion < 2 || methods.FxShmMap == 0 {
		return nil
	}
	const region, regionSize, extend = 0, 32 << 10, 0
	call := *(*func(_ *libc.TLS, file uintptr, region, size, extend int32, result uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{methods.FxShmMap}))
	if call(thread, file, region, regionSize, extend, result) != sqlite3.SQLITE_OK {
		return nil
	}
	return at[logHead](*at[uintptr](result))
}

// hasLog says whether a connection has a log. One that has none would make an index of it when asked for that.
func hasLog(c full) bool {
	rows, err := c.QueryContext(context.Background(), "PRAGMA journal_mode", nil)
	if err != nil {
		return false
	}
	defer rows.Close()
	mode := make([]driver.Value, 1)
	return rows.Next(mode) == nil && mode[0] == "wal"
}
