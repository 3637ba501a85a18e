// Command shop is a web shop that knows the truth about its map lookups: which goroutine made them, for which trace and
// span, at which source line, and how many. It serves HTTP/1.1 and HTTP/2 without TLS on one port and gRPC on another,
// says on standard output when it is ready, and ends on SIGTERM or SIGINT.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
	"google.golang.org/grpc"

	"example.com/shop/internal/shoprpc"
)

// patience is how long requests and exports may take to end.
const patience = 30 * time.Second

type settings struct {
	http, grpc, tracing, truth string
	sample                     float64
}

func main() {
	var set settings
	flag.StringVar(&set.http, "http", "127.0.0.1:0", "address of the HTTP server")
	flag.StringVar(&set.grpc, "grpc", "127.0.0.1:0", "address of the gRPC server")
	flag.StringVar(&set.tracing, "tracing", "sdk", "sdk: OpenTelemetry spans; labels: pprof labels; none: nothing")
	flag.Float64Var(&set.sample, "sample", 1, "share of the traces begun here that are sampled; callers decide on theirs")
	flag.StringVar(&set.truth, "truth", "", "file for one JSON line per piece of lookup work")
	flag.Parse()
	if flag.NArg() > 0 || set.sample < 0 || set.sample > 1 {
		fmt.Fprintln(os.Stderr, "shop: unexpected arguments, or a share that is not from 0 to 1")
		os.Exit(2)
	}
	if err := run(set); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(set settings) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	tracing, err := newTracing(stop, set.tracing, set.sample)
	if err != nil {
		return err
	}
	truth, err := newTruthLog(set.truth, tracing.current)
	if err != nil {
		return err
	}
	shop := newShop(tracing, truth)
	shop.startPool()
	refreshed := make(chan struct{})
	go func() {
		shop.refresh(stop)
		close(refreshed)
	}()

	err = serve(stop, shop, set)
	cancel()
	shop.stopPool()
	<-refreshed
	ending, cancelEnding := context.WithTimeout(context.Background(), patience)
	defer cancelEnding()
	return errors.Join(err, tracing.shutdown(ending), truth.close())
}

// serve answers requests until stop is done, then those that are under way. None is when it returns.
func serve(stop context.Context, shop *shop, set settings) error {
	httpListener, err := net.Listen("tcp", set.http)
	if err != nil {
		return err
	}
	grpcListener, err := net.Listen("tcp", set.grpc)
	if err != nil {
		return err
	}
	multiplexed := &http2.Server{}
	httpServer := &http.Server{Handler: h2c.NewHandler(shop.routes(), multiplexed)}
	if err := http2.ConfigureServer(httpServer, multiplexed); err != nil { // So that Shutdown ends HTTP/2 as well.
		return err
	}
	grpcServer := grpc.NewServer(shop.tracing.serverOptions()...)
	shoprpc.Register(grpcServer, shop)

	failed := make(chan error, 2)
	go func() { failed <- httpServer.Serve(httpListener) }()
	go func() { failed <- grpcServer.Serve(grpcListener) }()
	fmt.Printf("ready http=%s grpc=%s\n", httpListener.Addr(), grpcListener.Addr())
	select {
	case err = <-failed:
	case <-stop.Done():
	}

	ending, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = errors.Join(err, httpServer.Shutdown(ending))
	grpcServer.GracefulStop()
	shop.serving.Lock() // For HTTP/2, where Shutdown does not wait. It stays locked.
	return err
}
