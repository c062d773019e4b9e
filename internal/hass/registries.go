package hass

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Registries reads registries by their names, each a JSON list of its entries, for Import, and in the order in
// which that wants them. whole says whether they are all of their registries. The error is an Invalid that
// names each which is none.
func Registries(byName map[string]jsontext.Value, whole bool) ([]Storage, error) {
	var all []Storage
	var faults Invalid
	for _, f := range storageFiles {
		value, given := byName[string(f.kind)]
		if !given {
			continue
		}
		batch, err := ReadBatch(value)
		if err != nil {
			faults = append(faults, Fault{"/" + string(f.kind), "must be a list of entries"})
		}
		all = append(all, Storage{Kind: f.kind, Batch: batch, Whole: whole})
	}
	for name := range byName {
		if order(Kind(name)) < 0 {
			faults = append(faults, Fault{"/" + escapePointer(name), "is no registry; there are " + kindNames()})
		}
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Pointer, b.Pointer) })
		return nil, faults
	}
	return all, nil
}

func kindNames() string {
	var names []string
	for _, f := range storageFiles {
		names = append(names, string(f.kind))
	}
	last := len(names) - 1
	return fmt.Sprintf("%s and %s", strings.Join(names[:last], ", "), names[last])
}
