package backup

import (
	"os"
	"path/filepath"

	"dataapi/db"
)

// workshop is a folder in which a backup is made, beside where it will be. It is locked, so that what a process that
// was killed left behind can be told from what is under way.
type workshop struct {
	folder string
	held   *db.Hold
}

const workshopPrefix = ".data-api-backup-"

// openWorkshop also removes what others left behind in the folder.
func openWorkshop(in string) (*workshop, error) {
	if left, err := filepath.Glob(filepath.Join(in, workshopPrefix+"*")); err == nil {
		for _, folder := range left {
			if held, err := db.HoldFile(filepath.Join(folder, "work"), true); err == nil {
				os.RemoveAll(folder)
				held.Release()
			}
		}
	}
	folder, err := os.MkdirTemp(in, workshopPrefix)
	if err != nil {
		return nil, err
	}
	held, err := db.HoldFile(filepath.Join(folder, "work"), false)
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	return &workshop{folder, held}, nil
}

func (w *workshop) file(name string) string { return filepath.Join(w.folder, name) }

func (w *workshop) close() {
	os.RemoveAll(w.folder)
	w.held.Release()
}
