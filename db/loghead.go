package db

import (
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// logHead is the head of the index of a log (https://sqlite.org/walformat.html#the_wal_index_header). SQLite keeps it
// in memory that all share who have the database open, and writes it with each commit, with a number of the commit and a
// sum over the log, before whoever commits is told that it is done. As long as it is equal, nobody has committed.
type logHead [12]uint32

// read returns the head as it is now; ok is false where there is none, or none any more, as in an index that another
// program has cut off. It may be half written, which is equal to no head of before.
func (h *logHead) read() (is logHead, ok bool) {
	if h == nil {
		return is, false
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { ok = recover() == nil }()
	for i := range h {
		is[i] = atomic.LoadUint32(&h[i])
	}
	return is, true
}

// mapLogHead returns where a connection has the head of its log. It is there until the connection is closed, and is
// only to be read. It is nil where there is none, as in a database without a log. It takes the memory that SQLite has
// mapped: a descriptor of our own could not be closed again without losing SQLite's locks of the file.
func (c *conn) mapLogHead() *logHead {
	file := c.file(sqlite3.SQLITE_FCNTL_FILE_POINTER)
	if file == 0 || c.file(sqlite3.SQLITE_FCNTL_JOURNAL_POINTER) == 0 {
		return nil
	}
	methods := at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](file).FpMethods)
	if methods.FiVersion < 2 || methods.FxShmMap == 0 {
		return nil
	}
	const region, regionSize, extend = 0, 32 << 10, 0
	result := c.thread.Alloc(wordSize)
	defer c.thread.Free(wordSize)
	call := *(*func(_ *libc.TLS, file uintptr, region, size, extend int32, result uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{methods.FxShmMap}))
	if call(c.thread, file, region, regionSize, extend, result) != sqlite3.SQLITE_OK {
		return nil
	}
	return at[logHead](*at[uintptr](result))
}

// wordSize is that of an address.
const wordSize = int(unsafe.Sizeof(uintptr(0)))

// file returns an open file of the connection's database, a sqlite3_file*, or 0. That of its journal is the log, where it
// has one: a connection that only reads opens no other. Without a log, an index of it would be made when asked for.
func (c *conn) file(which int32) uintptr {
	if c.handle == 0 {
		return 0
	}
	name, err := libc.CString("main")
	if err != nil {
		return 0
	}
	defer libc.Xfree(c.thread, name)
	result := c.thread.Alloc(wordSize)
	defer c.thread.Free(wordSize)
	if sqlite3.Xsqlite3_file_control(c.thread, c.handle, name, which, result) != sqlite3.SQLITE_OK {
		return 0
	}
	file := *at[uintptr](result)
	if file == 0 || at[sqlite3.Tsqlite3_file](file).FpMethods == 0 {
		return 0
	}
	return file
}
