// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a client's frames, in memory: the WebSocket must always come to an end, with a code
// that may be told, and never give more than the limits allow.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/clock.h"
#include "dataplane/beast_websocket_core.h"

namespace fairlead::dataplane {

using MemoryStream = boost::beast::test::stream;

namespace internal {

template <>
void CloseStream<MemoryStream>(MemoryStream& stream) {
  stream.close();
}
template <>
bool PeerIsAlive<MemoryStream>(MemoryStream& /*stream*/) {
  return false;
}

}  // namespace internal

namespace {

namespace http = boost::beast::http;
using Core = internal::WebSocketCore<MemoryStream>;

void Check(bool holds) {
  if (!holds) std::abort();
}

net::awaitable<void> Serve(std::shared_ptr<Core> core, bool* over) {
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  request.set(http::field::host, "fuzz");
  request.set(http::field::connection, "upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  co_await core->stream().async_accept(request, kToken);
  core->Start();
  internal::BeastWebSocket<MemoryStream> websocket(core);
  for (;;) {
    const Message message = co_await websocket.ReadMessage(1000);
    if (message.open) {
      Check(message.payload.size() <= 1000);
      continue;
    }
    Check(message.close.code >= 1000 && message.close.text.size() <= 300);
    break;
  }
  *over = true;
}

}  // namespace
}  // namespace fairlead::dataplane

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fairlead::dataplane;
  namespace net = boost::asio;
  net::io_context context;
  auto near_end = std::make_unique<MemoryStream>(context);
  MemoryStream far_end(context);
  near_end->connect(far_end);
  near_end->append(std::string(reinterpret_cast<const char*>(data), size));
  far_end.close();
  bool over = false;
  auto core = std::make_shared<Core>(std::move(near_end), PeerInfo(), KeepAliveOptions(),
                                     fairlead::SystemClock());
  net::co_spawn(context, Serve(std::move(core), &over), net::detached);
  context.run();
  if (!over) std::abort();
  return 0;
}
