package db

import (
	"reflect"
	"unsafe"

	sqlite3 "modernc.org/sqlite/lib"
)

// member returns what the driver has of SQLite in one of its objects, and keeps to itself; 0 where it has none.
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
func (c *conn) dropMutex() {
	if c.handle == 0 {
		return
	}
	mutex := &at[sqlite3.Tsqlite3](c.handle).Fmutex
	sqlite3.Xsqlite3_mutex_free(c.thread, *mutex)
	*mutex = 0
}

// at returns what is at an address in the memory of SQLite, which Go does not move.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }
