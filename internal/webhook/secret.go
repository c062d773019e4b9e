package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// prefix of a secret as the Standard Webhooks specification writes it; base64 of the key follows.
const prefix = "whsec_"

// Bounds of a key, in bytes, by the same specification.
const (
	minKey = 24
	maxKey = 64
)

// errNoSecret keeps a message from being sent with nothing that tells it from a forged one.
var errNoSecret = errors.New("there is no secret to sign with")

// NewSecret returns a secret with a random key.
func NewSecret() string {
	key := make([]byte, minKey)
	rand.Read(key)
	return prefix + base64.StdEncoding.EncodeToString(key)
}

// CheckSecret says what is wrong with a secret that somebody chose.
func CheckSecret(secret string) error {
	encoded, ours := strings.CutPrefix(secret, prefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ours || err != nil || strings.ContainsAny(encoded, "\r\n") || len(key) < minKey || len(key) > maxKey {
		return errors.New("must be whsec_ and base64 of 24 to 64 bytes")
	}
	return nil
}

// sign sets the headers that tell a message from a forged one. Several secrets are good during a rotation:
// their signatures stand beside each other.
//
// X-Webhook-Signature is for receivers of the service before this one: HMAC-SHA256 of the body in hex, with
// the text of the secret as the key.
func sign(header http.Header, secrets []string, m Message, at time.Time) error {
	var signatures []string
	for _, secret := range secrets {
		if secret == "" {
			return errNoSecret
		}
		hook, err := standardwebhooks.NewWebhookRaw(keyOf(secret))
		if err != nil {
			return err
		}
		signature, err := hook.Sign(m.ID, at, []byte(m.Body))
		if err != nil {
			return err
		}
		signatures = append(signatures, signature)
		header.Add("X-Webhook-Signature", bodySignature(secret, m.Body))
	}
	if len(signatures) == 0 {
		return errNoSecret
	}
	header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}

func bodySignature(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// keyOf is the key in a secret; one from the service before this one is the key itself.
func keyOf(secret string) []byte {
	if encoded, ours := strings.CutPrefix(secret, prefix); ours {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(key) > 0 {
			return key
		}
	}
	return []byte(secret)
}
