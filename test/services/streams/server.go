package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/emptypb"
)

var articles = map[int]int{1: 1, 2: 2, 3: 3}

// The two places of lookups: with a caller's trace, and with none.
//
//go:noinline
func withCaller(key int) int { return articles[key] }

//go:noinline
func withNone(key int) int { return articles[key] }

// server lets one handler run on each connection. A stream that its client has given up counts no more, but its handler does.
type server struct {
	address string
	read    atomic.Int64 // streams whose headers were read
	open_   atomic.Int64 // connections
	holding chan chan struct{}
	handled chan string
	mutex   sync.Mutex
	seen    map[uintptr]bool // addresses that transports have had
}

func newServer() *server {
	s := &server{holding: make(chan chan struct{}), handled: make(chan string), seen: map[uintptr]bool{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s.address = listener.Addr().String()
	registrar := grpc.NewServer(
		grpc.MaxConcurrentStreams(1),
		grpc.StatsHandler(s),
		grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) {
			s.read.Add(1)
			return ctx, nil
		}),
	)
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: "Streams",
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{
			{StreamName: "Hold", Handler: s.hold, ClientStreams: true},
			{StreamName: "Caller", Handler: s.handle(withCaller), ClientStreams: true},
			{StreamName: "None", Handler: s.handle(withNone), ClientStreams: true},
		},
	}, s)
	go func() { log.Fatal(registrar.Serve(listener)) }()
	return s
}

// hold keeps the connection's only handler until it is told to end.
func (s *server) hold(_ any, _ grpc.ServerStream) error {
	release := make(chan struct{})
	s.holding <- release
	<-release
	return nil
}

func (s *server) handle(place func(int) int) grpc.StreamHandler {
	return func(_ any, stream grpc.ServerStream) error {
		for key := range 4 {
			place(key)
		}
		s.handled <- s.transport(stream.Context())
		return stream.SendMsg(new(emptypb.Empty))
	}
}

// transport says whether the stream's transport is where another connection's was before.
func (s *server) transport(ctx context.Context) string {
	stream := reflect.ValueOf(grpc.ServerTransportStreamFromContext(ctx)).Elem()
	address := stream.FieldByName("st").Elem().Pointer()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.seen[address] {
		return "again"
	}
	s.seen[address] = true
	return "new"
}

// forget waits until all connections are closed, and frees what the server had for them.
func (s *server) forget() {
	wait("the connections are open", func() bool { return s.open_.Load() == 0 })
	for range 3 {
		runtime.GC()
	}
}

func wait(what string, done func() bool) {
	for start := time.Now(); !done(); time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			log.Fatal("for a minute ", what)
		}
	}
}

func (s *server) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (s *server) HandleRPC(context.Context, stats.RPCStats)                         {}
func (s *server) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (s *server) HandleConn(_ context.Context, happened stats.ConnStats) {
	switch happened.(type) {
	case *stats.ConnBegin:
		s.open_.Add(1)
	case *stats.ConnEnd:
		s.open_.Add(-1)
	default:
		panic(fmt.Sprintf("unknown: %T", happened))
	}
}
