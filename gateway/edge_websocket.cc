// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See edge_websocket.h.
#include "gateway/edge_websocket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/grpc_fd_channel.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/async_event.h"
#include "gateway/refusal.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {
namespace {

using dataplane::AsyncEvent;
using dataplane::CloseReason;
using dataplane::HttpRequest;
using dataplane::Message;
using dataplane::PendingUpgrade;
using dataplane::WebSocket;

constexpr char kServerUri[] = "urn:fairlead:server:";
constexpr char kLinkMethod[] = "/fairlead.v1.EdgeService/Link";
// A server has one link; what is left of older ones ends soon.
constexpr std::size_t kMaxLinks = 64;

// A link being carried. Both coroutines of it share it.
struct Carried {
  explicit Carried(std::unique_ptr<WebSocket> socket)
      : websocket(std::move(socket)), reader_done(websocket->executor()) {}

  std::unique_ptr<WebSocket> websocket;
  std::unique_ptr<ServerStream> stream;
  AsyncEvent reader_done;
  // Why the server's messages cannot be carried.
  absl::optional<CloseReason> objection;
};

absl::optional<CloseReason> Objection(const Message& message) {
  v1::EdgeCommand command;
  if (message.kind == dataplane::FrameKind::kBinary && command.ParseFromString(message.payload)) {
    return absl::nullopt;
  }
  return CloseReason{dataplane::kCloseMalformed,
                     "Not understood: each frame must be binary and hold one EdgeCommand."};
}

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.DumpToSingleSlice(&slice).ok()) return "";
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

// From the server to the edge, until either ends.
net::awaitable<void> CarryCommands(std::shared_ptr<Carried> link) {
  bool edge_takes = true;
  while (edge_takes) {
    const Message message = co_await link->websocket->ReadMessage(kMaxLinkMessageBytes);
    if (!message.open) break;
    link->objection = Objection(message);
    if (link->objection.has_value()) break;
    edge_takes = co_await link->stream->Write(Buffer(message.payload));
  }
  // What the edge still has to say before its own end is carried.
  if (edge_takes) link->stream->Cancel();
  link->reader_done.Set();
}

// From the edge to the server, until either ends; gives how to close.
net::awaitable<CloseReason> CarryEvents(std::shared_ptr<Carried> link) {
  grpc::ByteBuffer event;
  for (;;) {
    const bool more = co_await link->stream->Read(&event);
    if (!more) break;
    const std::string bytes = Bytes(event);
    const absl::Status written = co_await link->websocket->WriteBinary(bytes);
    if (!written.ok()) break;
  }
  if (link->objection.has_value()) co_return *link->objection;
  const grpc::Status& status = link->stream->status();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  co_return CloseReason{CloseCodeFromCode(code), ClipReason(status.error_message())};
}

}  // namespace

dataplane::KeepAliveOptions LinkKeepAlive() {
  dataplane::KeepAliveOptions options;
  options.ping_interval = absl::Seconds(12);
  options.pong_timeout = absl::Seconds(12);
  options.max_missed = 1;
  options.write_timeout = absl::Seconds(25);
  return options;
}

absl::Status CheckServer(const dataplane::PeerInfo& peer) {
  if (!peer.certificate.has_value()) {
    return absl::UnauthenticatedError(
        "Only a server may link to this ICG: show a client certificate that names "
        "urn:fairlead:server:<name>, and do not offer http/1.1 by ALPN.");
  }
  for (const std::string& uri : peer.certificate->uris) {
    if (absl::StartsWith(uri, kServerUri)) return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      "Only a server may link to this ICG, and the certificate that was shown is not a server's: "
      "it has no name urn:fairlead:server:<name>.");
}

EdgeWebSocket::EdgeWebSocket(std::shared_ptr<grpc::Channel> channel)
    : calls_(std::move(channel), kMaxLinks) {}

net::awaitable<void> EdgeWebSocket::Serve(HttpRequest request,
                                          std::unique_ptr<PendingUpgrade> upgrade) {
  absl::Status allowed = CheckServer(request.peer);
  if (!allowed.ok()) {
    spdlog::warn("{}: refused to link: {}", request.peer.address, std::string(allowed.message()));
  } else if (!OffersSubprotocol(*upgrade, kLinkSubprotocol)) {
    allowed = absl::InvalidArgumentError(
        absl::StrCat("A server must offer the subprotocol ", kLinkSubprotocol, "."));
  }
  if (!allowed.ok()) {
    co_await upgrade->Refuse(dataplane::ErrorResponse(allowed));
    co_return;
  }
  absl::StatusOr<std::unique_ptr<WebSocket>> accepted = co_await upgrade->Accept(kLinkSubprotocol);
  if (!accepted.ok()) co_return;
  (*accepted)->Tune(kMaxLinkMessageBytes, LinkKeepAlive());
  const auto link = std::make_shared<Carried>(std::move(*accepted));
  const net::any_io_executor executor = link->websocket->executor();
  link->stream = calls_.Duplex(executor, kLinkMethod, CallMetadata());
  net::co_spawn(executor, CarryCommands(link), net::detached);
  CloseReason reason = co_await CarryEvents(link);
  link->stream->Cancel();
  co_await link->websocket->Close(std::move(reason));
  co_await link->reader_done.Wait();
}

}  // namespace fairlead::gateway
