package backup

import (
	"errors"
	"syscall"

	"dataapi/db"
)

// Failed says why a backup could not be made, or the folder not be read. Detail is a sentence for people.
type Failed struct {
	Detail string
	Err    error
}

func (f *Failed) Error() string { return f.Detail }

func (f *Failed) Unwrap() error { return f.Err }

// failed says it without what SQLite's driver says, which is for the log.
func failed(err error) *Failed {
	var source *sourceError
	var u *db.Unavailable
	detail := err.Error()
	if errors.As(err, &u) {
		detail = u.Detail
	}
	if errors.As(err, &source) && u != nil {
		detail = source.name + ": " + detail
	}
	if errors.Is(err, syscall.ENOSPC) || u != nil && u.Reason == db.DiskFull {
		detail = "the disk that the backup was to be on is full"
	}
	return &Failed{detail, err}
}

// sourceError is what is wrong with one of the files.
type sourceError struct {
	name string
	error
}

func (e *sourceError) Error() string { return e.name + ": " + e.error.Error() }

func (e *sourceError) Unwrap() error { return e.error }
