package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// fileSuffix ends the name of a setting that names a file which holds the value of another one, as Docker's secrets do.
const fileSuffix = "_FILE"

// addSecrets adds the settings that files hold, without the newline at their end. The value is never shown.
func addSecrets(settings map[string]string) error {
	var problems []error
	for _, name := range settingNames() {
		secret, isFile := strings.CutSuffix(name, fileSuffix)
		if !isFile || settings[name] == "" {
			continue
		}
		text, err := os.ReadFile(settings[name])
		value := strings.TrimRight(string(text), "\r\n")
		switch {
		case settings[secret] != "":
			err = fmt.Errorf("%s is set, too: set one of them", secret)
		case err == nil && value == "":
			err = errors.New("the file is empty")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		settings[secret] = value
	}
	return errors.Join(problems...)
}
