// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/console_forwarder.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/async_event.h"
#include "dataplane/client.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tls_context.h"
#include "gateway/edge_dialer.h"
#include "gateway/refusal.h"
#include "gateway/ticket_request.h"

namespace fairlead::gateway {

namespace net = dataplane::net;
using dataplane::CloseReason;
using dataplane::WebSocket;
using WebSocketOr = absl::StatusOr<std::unique_ptr<WebSocket>>;

namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMaxExpected = 100'000;
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr absl::Duration kDialTimeout = absl::Seconds(10);
constexpr absl::Duration kMaxPairing = absl::Minutes(10);

bool BelongsTo(const dataplane::PeerCertificate& certificate, const std::string& icg_id) {
  const std::vector<std::string>& uris = certificate.uris;
  return std::find(uris.begin(), uris.end(), absl::StrCat("urn:fairlead:icg:", icg_id)) !=
         uris.end();
}

// Carries frames until `from` ends, and gives how. Nothing if `to` is lost: whoever reads from it
// hears why.
net::awaitable<absl::optional<CloseReason>> Copy(WebSocket& from, WebSocket& to) {
  std::vector<char> buffer(kBufferBytes);
  const net::mutable_buffer room = net::buffer(buffer);
  for (;;) {
    const dataplane::ReadResult read = co_await from.ReadSome(room);
    if (!read.open) co_return read.close;
    const net::const_buffer data(buffer.data(), read.size);
    const absl::Status written = co_await to.WriteSome(data, read.kind, read.fin);
    if (!written.ok()) co_return absl::nullopt;
  }
}

}  // namespace

// Two WebSockets that are joined. Thread: the executor of both.
struct ConsoleForwarder::Splice {
  Splice(std::unique_ptr<WebSocket> console_leg, std::unique_ptr<WebSocket> icg_leg)
      : console(std::move(console_leg)),
        icg(std::move(icg_leg)),
        upward_over(console->executor()) {}

  // How the Console hears that the ICG's side is over.
  CloseReason Downward(CloseReason end) const {
    if (end.code != dataplane::kCloseLost) return end;
    end.code = stopping ? dataplane::kCloseDraining : dataplane::kClosePeerLost;
    end.text = stopping ? "The server is stopping. Open the terminal again in a moment."
                        : "The connection between the server and the ICG was lost.";
    return end;
  }

  static net::awaitable<void> CarryUpward(std::shared_ptr<Splice> self) {
    const absl::optional<CloseReason> end = co_await Copy(*self->console, *self->icg);
    if (end.has_value()) co_await self->icg->Close(*end);
    self->upward_over.Set();
  }
  static net::awaitable<void> CarryDownward(std::shared_ptr<Splice> self) {
    const absl::optional<CloseReason> end = co_await Copy(*self->icg, *self->console);
    if (!end.has_value()) co_return;
    const CloseReason told = self->Downward(*end);
    co_await self->console->Close(told);
  }

  const std::unique_ptr<WebSocket> console;
  const std::unique_ptr<WebSocket> icg;
  dataplane::AsyncEvent upward_over;
  bool stopping = false;
};

ConsoleForwarder::ConsoleForwarder(EdgeEventSink& sink, const Clock& clock,
                                   ConsoleForwarderSources sources)
    : sink_(sink), clock_(clock), sources_(std::move(sources)) {}

ConsoleForwarder::~ConsoleForwarder() = default;

void ConsoleForwarder::Expect(const v1::ForwardConsole& forward) {
  const absl::Duration good_for = FromProto(forward.pairing_timeout());
  if (forward.console_ticket_sha256().size() != kHashBytes || good_for > kMaxPairing) return;
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  for (auto it = expected_.begin(); it != expected_.end();) {
    it = it->second.until < now ? expected_.erase(it) : std::next(it);
  }
  if (stopped_) return;
  if (expected_.size() >= kMaxExpected) {
    spdlog::warn(
        "console forwarder: {} Consoles are expected already; that of session {} can reach "
        "its ICG only directly",
        expected_.size(), forward.session_id());
    return;
  }
  expected_[forward.console_ticket_sha256()] = Expected{forward, now + good_for};
}

absl::optional<v1::ForwardConsole> ConsoleForwarder::Take(const std::string& ticket) {
  absl::MutexLock lock(&mutex_);
  const auto found = expected_.find(dataplane::HashTicket(ticket));
  if (found == expected_.end()) return absl::nullopt;
  const Expected expected = std::move(found->second);
  expected_.erase(found);
  if (expected.until < clock_.Monotonic()) return absl::nullopt;
  return expected.forward;
}

net::awaitable<WebSocketOr> ConsoleForwarder::Dial(v1::ForwardConsole forward, std::string ticket) {
  absl::StatusOr<LinkAddress> address = ParseLinkAddress(forward.address());
  if (!address.ok()) co_return address.status();
  address->endpoint.target = kConsoleTunnelPath;
  dataplane::TlsTrust trust;
  trust.ca_pem = sources_.icg_ca();
  // An ICG asks those who offer http/1.1 for no certificate.
  auto context = dataplane::TlsClientContext::Create(trust, nullptr, {"http/1.1"});
  if (!context.ok()) co_return context.status();
  dataplane::DialOptions options;
  options.tls = *std::move(context);
  options.timeout = kDialTimeout;
  options.proxy = forward.proxy();
  std::vector<std::string> subprotocols = {kTerminalSubprotocol,
                                           absl::StrCat("fairlead.ticket.", ticket)};
  absl::StatusOr<dataplane::WebSocketDialResult> dialled =
      co_await dataplane::DialWebSocket(std::move(address->endpoint), std::move(options),
                                        std::move(subprotocols), dataplane::HttpHeaders());
  if (!dialled.ok()) co_return dialled.status();
  const auto& certificate = dialled->websocket->peer().certificate;
  if (!certificate.has_value() || !BelongsTo(*certificate, forward.icg_id()) ||
      sources_.is_revoked(certificate->fingerprint)) {
    dialled->websocket->Abort();
    co_return absl::PermissionDeniedError(
        absl::StrCat("another answers at ", forward.address(), ", or its certificate is revoked"));
  }
  co_return std::move(dialled->websocket);
}

bool ConsoleForwarder::Enter(const std::shared_ptr<Splice>& splice) {
  absl::MutexLock lock(&mutex_);
  if (!stopped_) splices_.insert(splice);
  return !stopped_;
}

net::awaitable<void> ConsoleForwarder::Serve(v1::ForwardConsole forward, std::string ticket,
                                             std::string subprotocol,
                                             std::unique_ptr<dataplane::PendingUpgrade> upgrade) {
  WebSocketOr icg = co_await Dial(forward, std::move(ticket));
  WebSocketOr console = co_await upgrade->Accept(subprotocol);
  if (!icg.ok() || !console.ok()) {
    if (icg.ok()) (*icg)->Abort();
    if (!console.ok()) co_return;
    const std::string why = absl::StrCat("The server cannot reach icgs/", forward.icg_id(), ": ",
                                         std::string(icg.status().message()));
    spdlog::info("session {}: {}", Printable(forward.session_id()), Printable(why));
    CloseReason reason;
    reason.code = dataplane::kClosePeerLost;
    reason.text = ClipReason(why);
    co_await (*console)->Close(reason);
    co_return;
  }
  v1::EdgeEvent event;
  for (dataplane::WebSocket* leg : {console->get(), icg->get()}) {
    leg->Tune(dataplane::kMaxMessageBytes, dataplane::PatientKeepAlive());
  }
  event.mutable_console_forwarded()->set_session_id(forward.session_id());
  sink_.Publish(std::move(event));
  const auto splice = std::make_shared<Splice>(*std::move(console), *std::move(icg));
  if (!Enter(splice)) {
    splice->stopping = true;
    splice->icg->Abort();
  }
  net::co_spawn(splice->console->executor(), Splice::CarryUpward(splice),
                [](std::exception_ptr stray) {
                  if (stray) std::terminate();
                });
  co_await Splice::CarryDownward(splice);
  co_await splice->upward_over.Wait();
  absl::MutexLock lock(&mutex_);
  splices_.erase(splice);
}

void ConsoleForwarder::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  expected_.clear();
  for (const std::shared_ptr<Splice>& splice : splices_) {
    net::post(splice->console->executor(), [splice] {
      splice->stopping = true;
      splice->icg->Abort();
    });
  }
}

std::size_t ConsoleForwarder::open_now() const {
  absl::MutexLock lock(&mutex_);
  return splices_.size();
}

}  // namespace fairlead::gateway
