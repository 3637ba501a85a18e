// Package shoprpc is the gRPC service
//
//	service Shop {
//	  rpc Price(google.protobuf.StringValue) returns (google.protobuf.Int64Value);
//	}
//
// written by hand: a service of one call with well-known messages needs no generated code.
package shoprpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// PriceMethod is the full name of the one call.
const PriceMethod = "/Shop/Price"

// Server answers calls.
type Server interface {
	// Price is the price in cents of an article, 0 for one that the shop does not have.
	Price(ctx context.Context, sku *wrapperspb.StringValue) (*wrapperspb.Int64Value, error)
}

// Register makes a gRPC server hand calls to s.
func Register(registrar grpc.ServiceRegistrar, s Server) {
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: "Shop",
		HandlerType: (*Server)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Price", Handler: handlePrice}},
		Metadata:    "shop.proto",
	}, s)
}

func handlePrice(
	server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor,
) (any, error) {
	request := new(wrapperspb.StringValue)
	if err := decode(request); err != nil {
		return nil, err
	}
	answer := func(ctx context.Context, request any) (any, error) {
		return server.(Server).Price(ctx, request.(*wrapperspb.StringValue))
	}
	if intercept == nil {
		return answer(ctx, request)
	}
	return intercept(ctx, request, &grpc.UnaryServerInfo{Server: server, FullMethod: PriceMethod}, answer)
}

// Price asks a server for the price of an article.
func Price(ctx context.Context, connection grpc.ClientConnInterface, sku string) (int64, error) {
	reply := new(wrapperspb.Int64Value)
	if err := connection.Invoke(ctx, PriceMethod, wrapperspb.String(sku), reply); err != nil {
		return 0, err
	}
	return reply.GetValue(), nil
}
