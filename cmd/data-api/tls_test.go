package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// issue writes a certificate for home.example with a number, and its key, to the folder.
func issue(t *testing.T, folder string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "home.example"}, DNSNames: []string{"home.example"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: text}} {
		writeFile(t, filepath.Join(folder, name), string(pem.EncodeToMemory(block)))
	}
}

// encrypted asks the service once, by a connection of its own, and returns the number of its certificate.
func (p *process) encrypted(t *testing.T, change ...func(*tls.Config)) (serial int64, proto string, err error) {
	t.Helper()
	c := &tls.Config{InsecureSkipVerify: true}
	for _, f := range change {
		f(c)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true, ForceAttemptHTTP2: true}, Timeout: 20 * time.Second}
	response, err := client.Get(p.url + "/livez")
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%d, %v", response.StatusCode, err)
	}
	return response.TLS.PeerCertificates[0].SerialNumber.Int64(), response.Proto, nil
}

// startEncrypted runs the service with the certificate in its folder.
func startEncrypted(t *testing.T, folder string) *process {
	t.Helper()
	p := start(t, folder, []string{"DATA_API_PORT=0", "TLS_CERT=cert.pem", "TLS_KEY=key.pem"})
	line := regexp.MustCompile(`msg=listening url=(https://\S+)`)
	waitFor(t, p, "listening", func() bool {
		found := line.FindStringSubmatch(p.output.String())
		if found != nil {
			p.url = found[1]
		}
		return found != nil
	})
	return p
}

func TestTLS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	issue(t, folder, 1)
	p := startEncrypted(t, folder)
	if serial, proto, err := p.encrypted(t); err != nil || serial != 1 || proto != "HTTP/2.0" {
		t.Errorf("certificate %d, %s, %v", serial, proto, err)
	}
	if _, _, err := p.encrypted(t, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	if _, _, err := p.encrypted(t, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
	plain, err := client.Get("http" + strings.TrimPrefix(p.url, "https") + "/livez")
	if err != nil || plain.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %v, %v", plain, err)
	}
	port := p.url[strings.LastIndex(p.url, ":")+1:]
	settings := []string{"DATA_API_PORT=" + port, "TLS_CERT=cert.pem", "TLS_KEY=key.pem"}
	waitFor(t, p, "ready", func() bool { code, _ := finish(t, folder, settings, "healthcheck"); return code == 0 })
	other := t.TempDir()
	issue(t, other, 2)
	if code, output := finish(t, other, settings, "healthcheck"); code != 1 || !strings.Contains(output, "something else answers") {
		t.Errorf("with another certificate: %d, %s", code, output)
	}
	p.stop(t)
}

// A certificate that is renewed is used without a restart, and until it is whole the one before is.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	issue(t, folder, 1)
	p := startEncrypted(t, folder)
	served := func(want int64) func() bool {
		return func() bool { serial, _, err := p.encrypted(t); return err == nil && serial == want }
	}
	waitFor(t, p, "served the first", served(1))
	issue(t, folder, 2)
	waitFor(t, p, "served the second", served(2))
	writeFile(t, filepath.Join(folder, "key.pem"), "half a key")
	waitFor(t, p, "told that the key is broken", func() bool {
		if !served(2)() {
			t.Error("the one before is not served")
		}
		return strings.Contains(p.output.String(), "the certificate cannot be renewed")
	})
	if err := os.Remove(filepath.Join(folder, "cert.pem")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, "told that it is gone", func() bool { return served(2)() && strings.Contains(p.output.String(), "no such file") })
	issue(t, folder, 3)
	waitFor(t, p, "served the third", served(3))
	if n := strings.Count(p.output.String(), "the certificate cannot be renewed"); n > 4 {
		t.Errorf("it says so %d times", n)
	}
}

// What cannot be served is refused at the start, and says which files it is about.
func TestBadCertificates(t *testing.T) {
	t.Parallel()
	folder, other := t.TempDir(), t.TempDir()
	issue(t, folder, 1)
	issue(t, other, 2)
	writeFile(t, filepath.Join(folder, "text.pem"), "no certificate")
	for _, c := range []struct{ cert, key, want string }{
		{"cert.pem", "", "TLS_CERT and TLS_KEY belong together"},
		{"", "key.pem", "TLS_CERT and TLS_KEY belong together"},
		{"nothing.pem", "key.pem", "TLS_CERT and TLS_KEY: stat nothing.pem: no such file"},
		{"cert.pem", filepath.Join(other, "key.pem"), "TLS_CERT and TLS_KEY: tls: private key does not match public key"},
		{"text.pem", "key.pem", "TLS_CERT and TLS_KEY: tls: failed to find any PEM data"},
		{"cert.pem", ".", "TLS_CERT and TLS_KEY: read .: is a directory"},
	} {
		code, output := finish(t, folder, []string{"DATA_API_PORT=0", "TLS_CERT=" + c.cert, "TLS_KEY=" + c.key})
		if code != 1 || !strings.HasPrefix(output, "data-api: "+c.want) {
			t.Errorf("%s, %s: %d, %s", c.cert, c.key, code, output)
		}
	}
}
