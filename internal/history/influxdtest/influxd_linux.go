package influxdtest

import "syscall"

// dieWithTest lets the kernel end the server where the test is killed itself.
func dieWithTest() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
