// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The same bytes to Beast's WebSocket and to our frame codec, at splits that the first byte
// chooses: both must give the same messages and come to the same end.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "dataplane/beast_websocket_core.h"
#include "dataplane/frame_codec.h"

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

constexpr std::size_t kMaxBytes = 1000;
// Registered after Beast was written, which refuses it.
constexpr std::uint16_t kBadGateway = 1014;
// Undefined from here on (RFC 6455 section 7.4.2), which Beast takes.
constexpr std::uint16_t kUndefinedFrom = 5000;

// What a WebSocket gave: whole messages, how much there was of an unfinished one, and its end.
struct Outcome {
  std::vector<std::pair<FrameKind, std::string>> messages;
  CloseReason end;
};

net::awaitable<void> AskBeast(std::shared_ptr<Core> core, Outcome* outcome, bool* over) {
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  request.set(http::field::host, "fuzz");
  request.set(http::field::connection, "upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  co_await core->stream().async_accept(request, kToken);
  core->Start();
  core->Tune(kMaxBytes, KeepAliveOptions());
  internal::BeastWebSocket<MemoryStream> websocket(core);
  for (;;) {
    const Message message = co_await websocket.ReadMessage(kMaxBytes);
    if (!message.open) {
      outcome->end = message.close;
      *over = true;
      co_return;
    }
    outcome->messages.emplace_back(message.kind, message.payload);
  }
}

Outcome BeastOutcome(const std::string& bytes, std::size_t step) {
  net::io_context context;
  auto near_end = std::make_unique<MemoryStream>(context);
  MemoryStream far_end(context);
  near_end->connect(far_end);
  near_end->read_size(step);
  near_end->append(bytes);
  far_end.close();
  Outcome outcome;
  bool over = false;
  auto core =
      std::make_shared<Core>(std::move(near_end), PeerInfo(), KeepAliveOptions(), SystemClock());
  net::co_spawn(context, AskBeast(std::move(core), &outcome, &over), net::detached);
  context.run();
  if (!over) std::abort();
  return outcome;
}

// Takes all events that `piece` gives; false at the end.
bool Feed(FrameReader& reader, std::span<std::uint8_t> piece, std::string& message,
          Outcome& outcome) {
  std::span<const std::uint8_t> input = piece;
  // Where the relay puts payload: in front of where it came, so that frames can be made anew.
  std::uint8_t* target = piece.data();
  for (;;) {
    const FrameReader::Event event = reader.Next(input);
    if (event == FrameReader::Event::kNeedsInput) {
      if (!input.empty()) std::abort();
      return true;
    }
    if (event == FrameReader::Event::kPing || event == FrameReader::Event::kPong) continue;
    if (event != FrameReader::Event::kData || !reader.Take(target)) {
      outcome.end = reader.close();
      return false;
    }
    message.append(reinterpret_cast<const char*>(target), reader.size());
    target += reader.size();
    if (message.size() > kMaxBytes) std::abort();
    if (reader.fin() == Fin::kMore) continue;
    outcome.messages.emplace_back(reader.kind(), std::move(message));
    message.clear();
  }
}

Outcome OurOutcome(std::string bytes, std::size_t step) {
  Outcome outcome;
  FrameReader reader(FrameRole::kServer, kMaxBytes);
  std::string message;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const std::size_t size = std::min(step, bytes.size() - at);
    if (!Feed(reader, {reinterpret_cast<std::uint8_t*>(bytes.data()) + at, size}, message,
              outcome)) {
      return outcome;
    }
  }
  return outcome;
}

bool SameEnd(const CloseReason& beast, const CloseReason& ours) {
  if (ours.code == kBadGateway) return beast.code == 1002;
  if (beast.code >= kUndefinedFrom) return ours.code == 1002;
  if (beast.code != ours.code) return false;
  // Sentences of our own making differ.
  const bool from_peer = ours.code != kCloseLost && ours.code != 1002 && ours.code != 1007 &&
                         ours.code != kCloseTooBig;
  return !from_peer || beast.text == ours.text;
}

void Report(const char* who, const Outcome& outcome) {
  std::fprintf(stderr, "%s: %zu messages, %d %s\n", who, outcome.messages.size(),
               int{outcome.end.code}, outcome.end.text.c_str());
}

}  // namespace
}  // namespace fairlead::dataplane

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fairlead::dataplane;
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t beast_step = 1 + data[0] % 16 * 37;
  const std::size_t our_step = 1 + data[0] / 16 * 41;
  const Outcome beast = BeastOutcome(bytes, beast_step);
  const Outcome ours = OurOutcome(bytes, our_step);
  if (beast.messages == ours.messages && SameEnd(beast.end, ours.end)) return 0;
  Report("Beast", beast);
  Report("ours", ours);
  std::abort();
}
