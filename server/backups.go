package server

import (
	"context"
	"net/http"
	"time"

	"dataapi/internal/backup"
)

// backupList is every backup in the folder.
type backupList struct {
	Backups []backup.Backup `json:"backups"`
	Count   int             `json:"count"`
}

func (s *Server) listBackups(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	all, err := s.Backups.List()
	return fresh{http.StatusOK, backupList{all, len(all)}}, err
}

// postBackup makes a backup. It goes on when the client goes away, whose proxy may have less patience than a large
// history takes, and ends with the service.
func (s *Server) postBackup(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	b, err := s.Backups.Make(ctx)
	return fresh{http.StatusCreated, b}, err
}

// backupsHealth is how it stands with the backups that the service makes by itself.
type backupsHealth struct {
	Status          string     `json:"status"` // healthy, degraded or not_configured
	Since           *time.Time `json:"since"`  // when they began to fail
	Detail          string     `json:"detail,omitempty"`
	LastAt          *time.Time `json:"last_at"`
	IntervalSeconds *float64   `json:"interval_seconds"`
}

func backupsHealthOf(keeper *backup.Keeper) backupsHealth {
	st := keeper.Status()
	h := backupsHealth{Status: healthy, Since: moment(st.Since), Detail: st.Problem, LastAt: moment(st.Last)}
	switch {
	case st.Problem != "":
		h.Status = degraded
	case st.Every == 0:
		h.Status = "not_configured"
	}
	if seconds := st.Every.Seconds(); seconds > 0 {
		h.IntervalSeconds = &seconds
	}
	return h
}
