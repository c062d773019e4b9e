package hass

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// storageFile describes a file of Home Assistant's .storage folder.
type storageFile struct {
	kind   Kind
	key    string   // its name, and the key in its envelope
	majors []int    // storage versions that can be read, whatever the minor version
	lists  []string // members of data that hold entries
}

// storageFiles are in the order in which they are taken, so that what is referred to comes first. There
// never was a device registry of version 2; child devices have had a list of their own since 3.4.
var storageFiles = []storageFile{
	{Floors, "core.floor_registry", []int{1}, []string{"floors"}},
	{Labels, "core.label_registry", []int{1}, []string{"labels"}},
	{Areas, "core.area_registry", []int{1}, []string{"areas"}},
	{ConfigEntries, "core.config_entries", []int{1}, []string{"entries"}},
	{Devices, "core.device_registry", []int{1, 3}, []string{"devices", "child_devices"}},
	{Entities, "core.entity_registry", []int{1}, []string{"entities"}},
}

// ErrStorage says that a file is not one that can be imported. The text says why.
var ErrStorage = errors.New("not a Home Assistant registry file")

// Storage is a registry, or a part of one, from a file or from elsewhere.
type Storage struct {
	Path  string // "" where it is from elsewhere
	Kind  Kind
	Batch Batch
	Whole bool // whether it is all of the registry, so that what it does not hold is to be removed
}

// ReadStorage reads registry files. A path is a file, a .storage folder, or a folder that holds one; of
// a folder, all registry files that are there are read, and are Whole. The result is in the order in which
// Import wants it. The error is ErrStorage or one of package os.
func ReadStorage(paths ...string) ([]Storage, error) {
	var all []Storage
	for _, path := range paths {
		files, whole, err := registryFiles(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			s, err := parseStorage(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			s.Path, s.Whole = file, whole
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Storage) int { return order(a.Kind) - order(b.Kind) })
	return all, nil
}

func order(kind Kind) int {
	return slices.IndexFunc(storageFiles, func(f storageFile) bool { return f.kind == kind })
}

// registryFiles lists the files of a folder, or the one file that the path is.
func registryFiles(path string) (files []string, folder bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, err
	}
	if !info.IsDir() {
		return []string{path}, false, nil
	}
	for _, folder := range []string{path, filepath.Join(path, ".storage")} {
		var found []string
		for _, f := range storageFiles {
			file := filepath.Join(folder, f.key)
			if _, err := os.Stat(file); err == nil {
				found = append(found, file)
			}
		}
		if len(found) > 0 {
			return found, true, nil
		}
	}
	return nil, true, fmt.Errorf("%s: %w: the folder holds none (core.device_registry, …)", path, ErrStorage)
}

// parseStorage reads the envelope that Home Assistant puts around each of its files.
func parseStorage(text []byte) (Storage, error) {
	var envelope struct {
		Version int                       `json:"version"`
		Key     string                    `json:"key"`
		Data    map[string]jsontext.Value `json:"data"`
	}
	if err := json.Unmarshal(text, &envelope, lenient); err != nil {
		var s *jsontext.SyntacticError
		if errors.As(err, &s) {
			return Storage{}, fmt.Errorf("%w: broken JSON at byte %d of %d", ErrStorage, s.ByteOffset, len(text))
		}
		return Storage{}, fmt.Errorf("%w: no version, key and data", ErrStorage)
	}
	i := slices.IndexFunc(storageFiles, func(f storageFile) bool { return f.key == envelope.Key })
	if i < 0 {
		return Storage{}, fmt.Errorf("%w: its key is %q", ErrStorage, envelope.Key)
	}
	f := storageFiles[i]
	if !slices.Contains(f.majors, envelope.Version) {
		return Storage{}, fmt.Errorf("%w that can be read: %s has storage version %d, and this data-api reads %v",
			ErrStorage, f.key, envelope.Version, f.majors)
	}
	s := Storage{Kind: f.kind}
	for j, list := range f.lists {
		value, ok := envelope.Data[list]
		if !ok && j == 0 {
			return Storage{}, fmt.Errorf("%w: data.%s is missing", ErrStorage, list)
		}
		if !ok {
			continue
		}
		batch, err := ReadBatch(value)
		if err != nil {
			return Storage{}, fmt.Errorf("%w: data.%s is %w", ErrStorage, list, err)
		}
		s.Batch = append(s.Batch, batch...)
	}
	return s, nil
}
