//go:build linux || darwin || freebsd

package backup

import "syscall"

// free is how many bytes can still be written to the file system of a folder; ok is false where that is not known.
func free(folder string) (bytes int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
