package db

import (
	"reflect"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// handleOf returns SQLite's handle of a connection, a sqlite3*, which the driver keeps to itself; 0 where it has none.
func handleOf(c full) uintptr { return member(c, "db") }

// member returns what the driver has for SQLite in one of its objects, or 0.
func member(of any, name string) uintptr {
	v := reflect.Indirect(reflect.ValueOf(of)).FieldByName(name)
	if v.Kind() != reflect.Uintptr {
		return 0
	}
	return uintptr(v.Uint())
}

// dropMutex has a connection do without SQLite's mutex, as SQLITE_OPEN_NOMUTEX would, which the driver does not let one
// ask for (https://sqlite.org/threadsafe.html, "multi-thread"). It is locked and unlocked for each column of each row. Nobody
// needs it: database/sql has one goroutine at a time use a connection, and the driver forbids everything else anyway.
func dropMutex(c full) {
	handle := handleOf(c)
	if handle == 0 {
		return
	}
	thread := libc.NewTLS()
	defer thread.Close()
	mutex := &at[sqlite3.Tsqlite3](handle).Fmutex
	sqlite3.Xsqlite3_mutex_free(thread, *mutex)
	*mutex = 0
}

// at returns what is at an address in the memory of SQLite, which Go does not move.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }
