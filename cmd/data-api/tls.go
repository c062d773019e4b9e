package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"
)

// certificate is that of the service, from two files. When they are changed, as by certbot, it is another one for the
// connections from then on.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu       sync.Mutex
	present  *tls.Certificate
	seen     [2]time.Time // when the files of it were changed
	lookedAt time.Time
	problem  string // why the files as they are now are not taken; "" where they are
}

// certificate reads the files that the settings name; nil where they name none.
func (c config) certificate(log *slog.Logger) (*certificate, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	files := &certificate{certFile: c.TLSCert, keyFile: c.TLSKey, log: log}
	if err := files.load(); err != nil {
		return nil, fmt.Errorf("TLS_CERT and TLS_KEY: %w", err)
	}
	return files, nil
}

// load takes what is in the files, if they fit each other.
func (f *certificate) load() error {
	seen, err := f.look()
	if err != nil {
		return err
	}
	loaded, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err == nil {
		f.present, f.seen = &loaded, seen
	}
	return err
}

// look says when the files were changed.
func (f *certificate) look() (at [2]time.Time, err error) {
	for i, name := range []string{f.certFile, f.keyFile} {
		info, failed := os.Stat(name)
		if failed != nil {
			return at, failed
		}
		at[i] = info.ModTime()
	}
	return at, nil
}

// renew takes what is in the files where they were changed, and keeps what it has where they cannot be taken, as
// between the writing of the one and of the other.
func (f *certificate) renew() {
	seen, err := f.look()
	if err == nil && seen == f.seen {
		return
	}
	if err == nil {
		err = f.load()
	}
	switch {
	case err == nil:
		f.problem = ""
		f.log.Info("a new certificate is used", "not_after", f.present.Leaf.NotAfter)
	case err.Error() != f.problem:
		f.problem = err.Error()
		f.log.Warn("the certificate cannot be renewed, and the one before is used", "error", err)
	}
}

// get is the certificate for a connection.
func (f *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.lookedAt) > time.Second {
		f.lookedAt = now
		f.renew()
	}
	return f.present, nil
}

// serverTLS is how connections are encrypted.
func (f *certificate) serverTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.get}
}

// local is a client of the service on this machine, which is whoever has the service's certificate, whatever names are
// in it.
func (f *certificate) local() *http.Client {
	verify := func(s tls.ConnectionState) error {
		if !s.PeerCertificates[0].Equal(f.present.Leaf) {
			return errors.New("something else answers: its certificate is not the one in TLS_CERT")
		}
		return nil
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: verify}}}
}
