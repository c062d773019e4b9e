//go:build linux || darwin || freebsd || netbsd || openbsd

package db

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks an open file, for one holder or, shared, for many; it does not wait. The system drops the lock
// when the process ends, however it ends. held says that others have it.
func lockFile(f *os.File, exclusive bool) (held bool, err error) {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK), err
}

// giveTo makes the owner and the rights of a file those of another one, as far as this process may.
func giveTo(path string, like os.FileInfo) {
	if owner, ok := like.Sys().(*syscall.Stat_t); ok {
		os.Chown(path, int(owner.Uid), int(owner.Gid))
	}
	if like.Mode().IsRegular() {
		os.Chmod(path, like.Mode().Perm())
	}
}
