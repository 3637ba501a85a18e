// Package traceparent reads, writes and invents the W3C header of that name.
package traceparent

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Header is the header's name, as HTTP/2 and gRPC write it.
const Header = "traceparent"

// SpanContext names one span. Its zero value stands for no span.
type SpanContext struct {
	TraceID string
	SpanID  string
	Sampled bool
}

const form = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"

// Parse reads a header; anything that the specification calls invalid gives no span.
func Parse(header string) SpanContext {
	version, rest, _ := strings.Cut(header, "-")
	if len(header) < len(form) || len(version) != 2 || !isHex(version) || version == "ff" {
		return SpanContext{}
	}
	if len(header) > len(form) && (version == "00" || header[len(form)] != '-') {
		return SpanContext{}
	}
	rest = rest[:len(form)-len("00-")]
	if rest[32] != '-' || rest[49] != '-' {
		return SpanContext{}
	}
	traceID, spanID, flags := rest[:32], rest[33:49], rest[50:]
	if !isHex(traceID) || !isHex(spanID) || !isHex(flags) || isZero(traceID) || isZero(spanID) {
		return SpanContext{}
	}
	return SpanContext{TraceID: traceID, SpanID: spanID, Sampled: strings.IndexByte("13579bdf", flags[1]) >= 0}
}

// New is the root of a trace that nobody has seen before.
func New(sampled bool) SpanContext {
	return SpanContext{TraceID: fmt.Sprintf("%016x%016x", nonZero(), nonZero()), SpanID: newSpanID(), Sampled: sampled}
}

// Child is another span of the same trace.
func (s SpanContext) Child() SpanContext {
	s.SpanID = newSpanID()
	return s
}

// String is the header.
func (s SpanContext) String() string {
	flags := "00"
	if s.Sampled {
		flags = "01"
	}
	return "00-" + s.TraceID + "-" + s.SpanID + "-" + flags
}

func newSpanID() string { return fmt.Sprintf("%016x", nonZero()) }

func nonZero() uint64 { return rand.Uint64() | 1 }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func isZero(s string) bool { return strings.Trim(s, "0") == "" }
