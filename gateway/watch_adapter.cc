// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See watch_adapter.h.
#include "gateway/watch_adapter.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "dataplane/async_event.h"
#include "gateway/refusal.h"
#include "proto/http_transcode.h"

namespace fairlead::gateway {
namespace {

using dataplane::AsyncEvent;
using dataplane::CloseReason;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using dataplane::PendingUpgrade;
using dataplane::WebSocket;

CloseReason ReasonFor(const grpc::Status& status) {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  return {CloseCodeFromCode(code), ClipReason(status.error_message())};
}

// Puts a token that was offered as a subprotocol where REST has it.
void TakeOfferedToken(const std::vector<std::string>& offered, HttpRequest* request) {
  if (!dataplane::FindHeader(request->headers, "Authorization").empty()) return;
  for (const std::string& protocol : offered) {
    absl::string_view token = protocol;
    if (absl::ConsumePrefix(&token, kBearerSubprotocolPrefix)) {
      request->headers.emplace_back("Authorization", absl::StrCat("Bearer ", token));
      return;
    }
  }
}

// An accepted watch. Both coroutines of it share it.
struct Watch {
  explicit Watch(std::unique_ptr<WebSocket> socket)
      : websocket(std::move(socket)), reader_done(websocket->executor()) {}

  std::unique_ptr<WebSocket> websocket;
  std::unique_ptr<ServerStream> stream;
  AsyncEvent reader_done;
  // The client sent a message, which no watch takes.
  bool client_spoke = false;
};

// Cancels the stream when the client closes, goes or speaks.
net::awaitable<void> ReadClient(std::shared_ptr<Watch> watch) {
  std::array<char, 128> buffer;
  const dataplane::ReadResult result = co_await watch->websocket->ReadSome(net::buffer(buffer));
  watch->client_spoke = result.open;
  watch->stream->Cancel();
  watch->reader_done.Set();
}

// Forwards messages until the stream or the WebSocket ends; gives how to close.
net::awaitable<CloseReason> Forward(Watch& watch, const google::protobuf::Descriptor* type) {
  grpc::ByteBuffer bytes;
  while (true) {
    const bool more = co_await watch.stream->Read(&bytes);
    if (!more) break;
    // The token was good: the connection is no longer one of strangers.
    watch.websocket->peer().MarkAuthenticated();
    const auto message = NewMessage(type);
    absl::StatusOr<std::string> json = absl::InternalError("The stream cannot be read.");
    if (FromByteBuffer(bytes, message.get())) json = proto::ToJson(*message);
    if (!json.ok()) {
      co_return CloseReason{CloseCodeFromCode(json.status().code()),
                            ClipReason(json.status().message())};
    }
    const absl::Status written = co_await watch.websocket->WriteText(*json);
    if (!written.ok()) break;
  }
  if (watch.client_spoke) {
    co_return CloseReason{dataplane::kCloseMalformed,
                          "This WebSocket only tells events: send nothing on it."};
  }
  co_return ReasonFor(watch.stream->status());
}

}  // namespace

WatchAdapter::WatchAdapter(const proto::HttpRules& rules, std::shared_ptr<grpc::Channel> channel,
                           std::size_t max_streams)
    : rules_(rules), calls_(std::move(channel), max_streams) {}

net::awaitable<void> WatchAdapter::Serve(HttpRequest request,
                                         std::unique_ptr<PendingUpgrade> upgrade) {
  const proto::HttpRules::Found found = rules_.Find("GET", request.path);
  if (found.binding == nullptr || !found.binding->method->server_streaming()) {
    HttpResponse refusal =
        found.binding == nullptr && found.allowed_verbs.empty()
            ? RestError(404, absl::NotFoundError("There is no such stream."))
            : RestError(400, absl::InvalidArgumentError(
                                 "This is no stream: send a plain request, without Upgrade."));
    co_await upgrade->Refuse(std::move(refusal));
    co_return;
  }
  const std::vector<std::string>& offered = upgrade->offered_subprotocols();
  const bool selects =
      std::find(offered.begin(), offered.end(), kWatchSubprotocol) != offered.end();
  if (!selects && !offered.empty()) {
    HttpResponse refusal = RestError(
        400, absl::InvalidArgumentError("Offer the subprotocol fairlead.watch.v1, or none."));
    co_await upgrade->Refuse(std::move(refusal));
    co_return;
  }
  TakeOfferedToken(offered, &request);
  const absl::string_view selected = selects ? kWatchSubprotocol : "";
  absl::StatusOr<std::unique_ptr<WebSocket>> accepted = co_await upgrade->Accept(selected);
  if (!accepted.ok()) co_return;
  const auto watch = std::make_shared<Watch>(*std::move(accepted));

  const google::protobuf::MethodDescriptor* method = found.binding->method;
  const auto message = NewMessage(method->input_type());
  absl::Status status =
      proto::FillFromRest(*found.binding, found.values, request.query, request.body, message.get());
  absl::StatusOr<CallMetadata> metadata = MetadataFor(request);
  if (status.ok()) status = metadata.status();
  if (!status.ok()) {
    CloseReason reason{CloseCodeFromCode(status.code()), ClipReason(status.message())};
    co_await watch->websocket->Close(std::move(reason));
    co_return;
  }
  const net::any_io_executor executor = watch->websocket->executor();
  watch->stream = calls_.Stream(executor, MethodPath(method), *metadata, ToByteBuffer(*message));
  net::co_spawn(executor, ReadClient(watch), net::detached);
  CloseReason reason = co_await Forward(*watch, method->output_type());
  if (calls_.stopped()) {
    reason = CloseReason{dataplane::kCloseDraining, "The server is stopping; connect again."};
  }
  watch->stream->Cancel();
  co_await watch->websocket->Close(std::move(reason));
  co_await watch->reader_done.Wait();
}

dataplane::Route ApiRoute(RestAdapter& rest, WatchAdapter& watch) {
  dataplane::Route route;
  route.pattern = "/api/v1/*";
  route.max_body_bytes = kMaxRestBodyBytes;
  route.on_request = [&rest](HttpRequest request) { return rest.Handle(std::move(request)); };
  route.on_upgrade = [&watch](HttpRequest request, std::unique_ptr<PendingUpgrade> upgrade) {
    return watch.Serve(std::move(request), std::move(upgrade));
  };
  return route;
}

}  // namespace fairlead::gateway
