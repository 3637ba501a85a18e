package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"time"

	"example.com/shop/internal/goid"
	"example.com/shop/internal/traceparent"
)

// truthLog writes one JSON line for each piece of work that looks keys up. A nil log writes nothing and costs nothing.
type truthLog struct {
	current func(context.Context) traceparent.SpanContext

	mutex  sync.Mutex
	file   *os.File
	buffer *bufio.Writer
}

func newTruthLog(path string, current func(context.Context) traceparent.SpanContext) (*truthLog, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &truthLog{current: current, file: file, buffer: bufio.NewWriterSize(file, 1<<20)}, nil
}

func (t *truthLog) close() error {
	if t == nil {
		return nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if err := t.buffer.Flush(); err != nil {
		return err
	}
	return t.file.Close()
}

// site is a source line that looks a key up, and what for.
type site struct {
	// fields are the parts of a JSON line that are always the same.
	fields string
}

// newSite is the line of a function that is written on one line, so that it is the line of the lookup as well. Such a
// function may be inlined: the position stays its own.
func newSite(endpoint, step string, function any) site {
	f := runtime.FuncForPC(reflect.ValueOf(function).Pointer())
	file, line := f.FileLine(f.Entry())
	return site{fmt.Sprintf(`"endpoint":%q,"step":%q,"function":%q,"file":%q,"line":%d`, endpoint, step, f.Name(), file, line)}
}

// piece is work on one goroutine, in one span, at one site.
type piece struct {
	log       *truthLog
	site      site
	span      traceparent.SpanContext
	goroutine uint64
	start     time.Time
}

// begin is called right before the first lookup of a piece, on the goroutine that does it.
func (t *truthLog) begin(ctx context.Context, s site) piece {
	if t == nil {
		return piece{}
	}
	return piece{log: t, site: s, span: t.current(ctx), goroutine: goid.Get(), start: time.Now()}
}

// end is called right after the last of so many lookups.
func (p *piece) end(lookups int) {
	if p.log == nil {
		return
	}
	// Not start and what has passed since: time.Now reads two clocks, and the thread may lose its processor in between.
	end := time.Now()
	line := make([]byte, 0, 512)
	line = append(line, `{"goroutine":`...)
	line = strconv.AppendUint(line, p.goroutine, 10)
	line = append(line, `,"traceId":"`...)
	line = append(line, p.span.TraceID...)
	line = append(line, `","spanId":"`...)
	line = append(line, p.span.SpanID...)
	line = append(line, `","sampled":`...)
	line = strconv.AppendBool(line, p.span.Sampled)
	line = append(line, ',')
	line = append(line, p.site.fields...)
	line = append(line, `,"lookups":`...)
	line = strconv.AppendInt(line, int64(lookups), 10)
	// As text, like OTLP's JSON: nanoseconds since 1970 are more than a JSON number holds everywhere.
	line = append(line, `,"start":"`...)
	line = strconv.AppendInt(line, p.start.UnixNano(), 10)
	line = append(line, `","end":"`...)
	line = strconv.AppendInt(line, end.UnixNano(), 10)
	line = append(line, "\"}\n"...)
	p.log.mutex.Lock()
	defer p.log.mutex.Unlock()
	p.log.buffer.Write(line) // An error stays with the buffer until close.
}
