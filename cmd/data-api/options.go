package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
)

// addOptions adds the file of options, if one is named, and the environment, which comes first.
func addOptions(settings, environment map[string]string) error {
	if file := cmp.Or(environment[optionsSetting], settings[optionsSetting]); file != "" {
		options, err := readOptions(file)
		if err != nil {
			return err
		}
		maps.Copy(settings, options)
	}
	maps.Copy(settings, environment)
	return nil
}

// readOptions reads settings from a JSON object, as Home Assistant hands the options of an app over: each member is
// the setting of that name, in lower or upper case. null stands for the default. Values are not shown in errors, as
// they may be secrets.
func readOptions(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", optionsSetting, err)
	}
	var options map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // so that a large number stays as it is written
	if err := decoder.Decode(&options); err != nil || decoder.More() {
		return nil, fmt.Errorf("%s: %s holds no JSON object", optionsSetting, file)
	}
	return settingsOf(options)
}

func settingsOf(options map[string]any) (map[string]string, error) {
	settings := map[string]string{}
	var problems []error
	for _, option := range slices.Sorted(maps.Keys(options)) {
		name, problem := strings.ToUpper(option), ""
		_, twice := settings[name]
		switch options[option].(type) {
		case string, bool, json.Number:
			settings[name] = fmt.Sprint(options[option])
		case nil:
		default:
			problem = "is neither text, a number nor true or false"
		}
		if twice {
			problem = "is there twice"
		}
		if name == optionsSetting || !slices.Contains(settingNames(), name) {
			problem = "is no setting"
		}
		if problem != "" {
			problems = append(problems, fmt.Errorf("%s: %s %s", optionsSetting, option, problem))
		}
	}
	return settings, errors.Join(problems...)
}

// optionsSetting names the file of options.
const optionsSetting = "DATA_API_OPTIONS"

// settingNames are the names of all settings, in order.
func settingNames() (names []string) {
	for f := range reflect.TypeFor[config]().Fields() {
		names = append(names, f.Tag.Get("env"))
	}
	return names
}
