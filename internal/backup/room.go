package backup

import (
	"fmt"
	"os"

	"dataapi/db"
)

// spare is how much of a disk a backup leaves free, so that the service can go on writing.
const spare = 16 << 20

// fits says whether there is room for the largest copy beside the whole backup. It is in doubt where a disk is as good
// as full, and there the databases come first.
func (k *Keeper) fits() error {
	need := 2*k.Room() + spare
	if left, ok := free(k.Folder); ok && left < need {
		return fmt.Errorf("there is too little room: it takes up to %d MB, and %d MB are free", megabytes(need), megabytes(left))
	}
	return nil
}

func megabytes(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }

// Size is how large the files are now, with what is in their logs.
func (p Paths) Size() (bytes int64) {
	for _, path := range p {
		for _, suffix := range []string{"", "-wal"} {
			if info, err := os.Stat(path + suffix); err == nil && path != db.Memory {
				bytes += info.Size()
			}
		}
	}
	return bytes
}
