package server

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
)

// HomesFolder is where folders with the registries of real homes are, on machines that have some.
func HomesFolder() string { return cmp.Or(os.Getenv("HOMES_DIR"), "../../shared/homes") }

// RealHomes are the folders in it.
func RealHomes(t *testing.T) (folders []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(HomesFolder(), "*", "core.device_registry"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		folders = append(folders, filepath.Dir(file))
	}
	return folders
}
