package traceparent

import (
	"strings"
	"testing"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

func TestParse(t *testing.T) {
	for header, want := range map[string]SpanContext{
		"00-" + traceID + "-" + spanID + "-01":      {traceID, spanID, true},
		"00-" + traceID + "-" + spanID + "-00":      {traceID, spanID, false},
		"00-" + traceID + "-" + spanID + "-02":      {traceID, spanID, false},
		"00-" + traceID + "-" + spanID + "-ff":      {traceID, spanID, true},
		"cc-" + traceID + "-" + spanID + "-01-more": {traceID, spanID, true},
		"":   {},
		"00": {},
		"00-" + traceID + "-" + spanID + "-01-more":                     {},
		"cc-" + traceID + "-" + spanID + "-01.more":                     {},
		"ff-" + traceID + "-" + spanID + "-01":                          {},
		"00-" + strings.ToUpper(traceID) + "-" + spanID + "-01":         {},
		"00-" + strings.Repeat("0", 32) + "-" + spanID + "-01":          {},
		"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01":         {},
		"00-" + traceID + "." + spanID + "-01":                          {},
		"000" + traceID + "-" + spanID + "-01" + strings.Repeat("-", 9): {},
	} {
		if got := Parse(header); got != want {
			t.Errorf("%q: %+v", header, got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, sampled := range []bool{true, false} {
		root := New(sampled)
		child := root.Child()
		if Parse(root.String()) != root || Parse(child.String()) != child {
			t.Errorf("%s and %s are read as something else", root, child)
		}
		if child.TraceID != root.TraceID || child.SpanID == root.SpanID {
			t.Errorf("%s is no child of %s", child, root)
		}
	}
}
