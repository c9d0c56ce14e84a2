// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See beast_websocket.h. The one place where Beast's WebSocket is instantiated over TLS.
#include "dataplane/beast_websocket.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "dataplane/beast_websocket_core.h"
#include "dataplane/close_reason.h"
#include "dataplane/deadline.h"

namespace fairlead::dataplane {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using Core = internal::WebSocketCore<TlsStream>;

beast::string_view ToBeast(absl::string_view text) { return {text.data(), text.size()}; }

// Aborts a handshake that takes too long.
// Lifetime: `core` must outlive it.
Deadline AbortAfter(Core& core, absl::Duration timeout) {
  return Deadline(core.stream().get_executor(), timeout, [&core] { core.Abort(); });
}

// What Beast needs of the request that our connection has read and checked.
http::request<http::empty_body> MinimalUpgradeRequest(const std::string& key) {
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  request.set(http::field::host, "checked");
  request.set(http::field::connection, "upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, key);
  return request;
}

HttpResponse ToHttpResponse(const beast::websocket::response_type& response) {
  HttpResponse result;
  result.status = static_cast<int>(response.result_int());
  result.body = response.body();
  return result;
}

absl::Status HandshakeError(const error_code& error, const Deadline& deadline,
                            const beast::websocket::response_type& response,
                            const WebSocketHandshake& handshake) {
  if (deadline.passed()) {
    return absl::DeadlineExceededError(
        absl::StrCat(handshake.host, " did not answer the WebSocket handshake within ",
                     absl::FormatDuration(handshake.timeout)));
  }
  if (error == beast::websocket::error::upgrade_declined) {
    const HttpResponse answer = ToHttpResponse(response);
    const absl::Status status = StatusFromResponse(answer);
    if (!status.ok()) return status;
    return absl::FailedPreconditionError(absl::StrCat(handshake.host, " answered with HTTP status ",
                                                      answer.status,
                                                      " instead of a WebSocket; check the URL"));
  }
  return absl::UnavailableError(
      absl::StrCat("the WebSocket handshake with ", handshake.host, " failed: ", error.message()));
}

}  // namespace

namespace internal {

CloseReason EndFromError(const error_code& error, const beast::websocket::close_reason& got) {
  namespace ws = beast::websocket;
  CloseReason end;
  if (error == ws::error::closed) {
    end.code = got.code == ws::close_code::none ? kCloseNoCode : got.code;
    end.text.assign(got.reason.data(), got.reason.size());
  } else if (error == ws::error::message_too_big || error == ws::error::buffer_overflow) {
    end.code = kCloseTooBig;
    end.text = "a message was larger than is accepted here; send smaller ones";
  } else if (error == ws::error::bad_frame_payload) {
    end.code = ws::close_code::bad_payload;
    end.text = "a text message was not UTF-8";
  } else if (error.category() == make_error_code(ws::error::closed).category()) {
    end.code = ws::close_code::protocol_error;
    end.text = absl::StrCat("the peer broke the WebSocket protocol: ", error.message());
  } else {
    end.code = kCloseLost;
    end.text = absl::StrCat("the connection was lost: ", error.message());
  }
  return end;
}

beast::websocket::close_reason WireReason(const CloseReason& reason) {
  beast::websocket::close_reason wire;
  if (reason.code == kCloseNoCode) return wire;
  const CloseReason sent = OnTheWire(reason);
  wire.code = sent.code;
  wire.reason.assign(sent.text.data(), sent.text.size());
  return wire;
}

}  // namespace internal

net::awaitable<absl::StatusOr<std::unique_ptr<WebSocket>>> AcceptWebSocket(
    std::unique_ptr<TlsStream> stream, PeerInfo peer, std::string key, std::string subprotocol,
    absl::Duration timeout, KeepAliveOptions keep_alive) {
  const std::string address = peer.address;
  auto core = std::make_shared<Core>(std::move(stream), std::move(peer), keep_alive, SystemClock());
  core->stream().set_option(beast::websocket::stream_base::decorator(
      [&subprotocol](beast::websocket::response_type& response) {
        response.set(http::field::server, "Fairlead");
        if (subprotocol.empty()) return;
        response.set(http::field::sec_websocket_protocol, subprotocol);
      }));
  const http::request<http::empty_body> request = MinimalUpgradeRequest(key);
  error_code error;
  {
    const Deadline deadline = AbortAfter(*core, timeout);
    auto [result] = co_await core->stream().async_accept(request, kToken);
    error = result;
  }
  if (error) {
    core->Abort();
    co_return absl::UnavailableError(
        absl::StrCat("the connection of ", address,
                     " was lost during the WebSocket handshake: ", error.message()));
  }
  core->Start();
  std::unique_ptr<WebSocket> websocket =
      std::make_unique<internal::BeastWebSocket<TlsStream>>(std::move(core));
  co_return websocket;
}

net::awaitable<absl::StatusOr<WebSocketHandshakeResult>> HandshakeWebSocket(
    std::unique_ptr<TlsStream> stream, PeerInfo peer, WebSocketHandshake handshake,
    KeepAliveOptions keep_alive) {
  auto core = std::make_shared<Core>(std::move(stream), std::move(peer), keep_alive, SystemClock());
  core->BeClient();
  core->stream().set_option(beast::websocket::stream_base::decorator(
      [&handshake](beast::websocket::request_type& request) {
        request.set(http::field::user_agent, "Fairlead");
        for (const auto& [name, value] : handshake.headers) request.set(name, value);
        if (handshake.subprotocols.empty()) return;
        request.set(http::field::sec_websocket_protocol,
                    absl::StrJoin(handshake.subprotocols, ", "));
      }));
  beast::websocket::response_type response;
  absl::Status status;
  {
    const Deadline deadline = AbortAfter(*core, handshake.timeout);
    auto [error] = co_await core->stream().async_handshake(response, ToBeast(handshake.host),
                                                           ToBeast(handshake.target), kToken);
    if (error) status = HandshakeError(error, deadline, response, handshake);
  }
  if (!status.ok()) {
    core->Abort();
    co_return status;
  }
  core->Start();
  WebSocketHandshakeResult result;
  const auto selected = response[http::field::sec_websocket_protocol];
  result.subprotocol.assign(selected.data(), selected.size());
  result.websocket = std::make_unique<internal::BeastWebSocket<TlsStream>>(std::move(core));
  co_return result;
}

}  // namespace fairlead::dataplane
