package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// local is a caller that may call this machine, on which tests run.
func local(t *testing.T) *Caller {
	t.Helper()
	return closing(t, NewCaller(Targets{Allow: prefixes(t, "127.0.0.1")}, "test"))
}

func closing(t *testing.T, c *Caller) *Caller {
	t.Cleanup(c.client.CloseIdleConnections)
	return c
}

// receiver serves what a test wants, after it has read the message.
func receiver(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body []byte)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		answer(w, r, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func call(t *testing.T, c *Caller, url string) Outcome {
	t.Helper()
	return c.Call(t.Context(), Receiver{URL: url, Secrets: []string{NewSecret()}}, Message{ID: "msg_1", Body: `{}`}, time.Now())
}

func TestCall(t *testing.T) {
	secrets := []string{NewSecret(), NewSecret()}
	m := Message{ID: "msg_1", Body: "{\"name\":\"K\u00fcche <&> \u2028\"}\n"}
	at := time.Now()
	url := receiver(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Method != http.MethodPost || r.URL.RequestURI() != "/hook?a=b" || string(body) != m.Body {
			t.Errorf("%s %s %q came, want POST /hook?a=b %q", r.Method, r.URL, body, m.Body)
		}
		if r.Header.Get("Content-Type") != "application/json" || r.UserAgent() != "data-api/test" || r.Header.Get("webhook-id") != m.ID {
			t.Errorf("the header is %v", r.Header)
		}
		for i, secret := range secrets {
			verify(t, secret, body, r.Header)
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			if got := r.Header.Values("X-Webhook-Signature"); len(got) != 2 || got[i] != hex.EncodeToString(mac.Sum(nil)) {
				t.Errorf("X-Webhook-Signature is %q", got)
			}
		}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, "thanks")
	})
	o := local(t).Call(t.Context(), Receiver{URL: url + "/hook?a=b", Secrets: secrets}, m, at)
	if o.Status != 202 || o.Answer != "thanks" || o.Problem != "" || o.RetryAfter != 0 || o.Latency <= 0 || o.Verdict() != Arrived {
		t.Errorf("the outcome is %+v", o)
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status     int
		retryAfter string
		want       Verdict
		pause      time.Duration
	}{
		{http.StatusNoContent, "", Arrived, 0},
		{http.StatusGone, "", Gone, 0},
		{http.StatusTooManyRequests, "90", Hold, 90 * time.Second},
		{http.StatusServiceUnavailable, "", Hold, 0},
		{http.StatusUnprocessableEntity, "", Aside, 0},
	} {
		url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			w.Header().Set("Retry-After", c.retryAfter)
			w.WriteHeader(c.status)
		})
		o := call(t, local(t), url)
		if o.Status != c.status || o.Verdict() != c.want || o.RetryAfter != c.pause {
			t.Errorf("%d with Retry-After %q: %+v is %d, want %d and %v", c.status, c.retryAfter, o, o.Verdict(), c.want, c.pause)
		}
	}
}

func TestEndlessAnswer(t *testing.T) {
	url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "0123456789abcdef"); err != nil {
				return
			}
		}
	})
	if o := call(t, local(t), url); o.Status != 200 || o.Answer != strings.Repeat("0123456789abcdef", 64) {
		t.Errorf("of the answer %d bytes are kept, want the first 1024: %+v", len(o.Answer), o)
	}
}

func TestAnswerThatIsNoText(t *testing.T) {
	url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) { w.Write([]byte("a\xff\xfeb")) })
	if o := call(t, local(t), url); o.Answer != "a\ufffdb" {
		t.Errorf("the answer is %q", o.Answer)
	}
}

// A receiver that takes the message and says nothing must not keep its caller.
func TestSilentReceiver(t *testing.T) {
	c := local(t)
	if c.timeout != 15*time.Second {
		t.Errorf("a call may take %v, want 15s", c.timeout)
	}
	c.timeout = 50 * time.Millisecond
	url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
	o := call(t, c, url)
	if o.Status != 0 || o.Problem != "no answer within 50ms" || o.Latency < c.timeout || o.Verdict() != Hold {
		t.Errorf("the outcome is %+v", o)
	}
}

// A receiver that sends the header of its answer byte by byte is not waited for longer than one that sends nothing.
func TestSlowHeader(t *testing.T) {
	c := local(t)
	c.timeout = 200 * time.Millisecond
	sent := make(chan int, 1)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		n := 0
		for _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: "); err == nil; n++ {
			time.Sleep(5 * time.Millisecond)
			_, err = io.WriteString(conn, "x")
		}
		sent <- n
	})
	o := call(t, c, url)
	if o.Status != 0 || o.Problem != "no answer within 200ms" || o.Verdict() != Hold {
		t.Errorf("the outcome is %+v", o)
	}
	select {
	case n := <-sent:
		if n == 0 {
			t.Error("nothing was sent")
		}
	case <-time.After(30 * time.Second):
		t.Error("the connection stayed open")
	}
}

// The status counts, however slowly the rest of the answer comes.
func TestSlowAnswer(t *testing.T) {
	c := local(t)
	c.readTimeout = 50 * time.Millisecond
	url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	if o := call(t, c, url); o.Status != 200 || o.Answer != "x" || o.Verdict() != Arrived {
		t.Errorf("the outcome is %+v", o)
	}
}

func TestCallThatIsCutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		cancel()
		<-r.Context().Done()
	})
	o := local(t).Call(ctx, Receiver{URL: url, Secrets: []string{NewSecret()}}, Message{ID: "msg_1"}, time.Now())
	if o.Status != 0 || o.Problem != context.Canceled.Error() {
		t.Errorf("the outcome is %+v", o)
	}
}

// What is noted of a failure is short, and tells nobody the URL.
func TestProblems(t *testing.T) {
	answer := func(text string) string {
		return receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				io.WriteString(conn, text)
				conn.Close()
			}
		})
	}
	for name, url := range map[string]string{
		"no receiver":       closed(t),
		"no answer":         answer(""),
		"no HTTP":           answer(longText(60000) + "\r\n\r\n"),
		"an endless header": answer("HTTP/1.1 200 OK\r\nX: " + longText(2*maxHeader) + "\r\n\r\n"),
		"no host":           "http://",
		"no URL":            "http://127.0.0.1:port",
	} {
		o := call(t, local(t), url+"/sesame")
		if o.Status != 0 || o.Problem == "" || len(o.Problem) > 1024 || strings.Contains(o.Problem, "sesame") || o.Verdict() != Hold {
			t.Errorf("%s: the outcome is %+v", name, o)
		}
	}
	o := local(t).Call(t.Context(), Receiver{URL: closed(t)}, Message{ID: "msg_1"}, time.Now())
	if o.Problem != errNoSecret.Error() {
		t.Errorf("without a secret, the outcome is %+v", o)
	}
}

// closed is the URL of a receiver that was stopped.
func closed(t *testing.T) string {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}
