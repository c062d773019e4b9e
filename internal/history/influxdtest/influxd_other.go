//go:build !linux

package influxdtest

import "syscall"

func dieWithTest() *syscall.SysProcAttr { return nil }
