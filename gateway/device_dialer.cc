// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/device_dialer.h"

#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <exception>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/client.h"
#include "dataplane/deadline.h"
#include "dataplane/stream_leg.h"
#include "dataplane/stream_peer.h"
#include "dataplane/tls_stream.h"
#include "gateway/device_registry.h"
#include "gateway/refusal.h"

namespace fairlead::gateway {

namespace net = dataplane::net;
using dataplane::Claim;
using dataplane::Side;
using dataplane::TlsClientContext;
using dataplane::TlsStream;

namespace {

// For a connection that is not wanted (any more) to end in order.
constexpr absl::Duration kShutdownTimeout = absl::Seconds(1);

using Reached = absl::StatusOr<std::unique_ptr<TlsStream>>;

enum class Purpose { kDial, kProbe };

// Hangs up in order when time is up.
// Lifetime: `stream` must outlive it.
dataplane::Deadline HangUpAfter(TlsStream& stream, absl::Duration timeout) {
  return dataplane::Deadline(stream.get_executor(), timeout, [&stream] {
    stream.SendCloseNotify();
    stream.Close();
  });
}

// Whether the device lets us in: with TLS 1.3 it judges our certificate after our handshake is
// over. One that knows probes closes then; another may say something, or nothing for a while.
net::awaitable<absl::Status> AwaitWord(TlsStream& stream, const DeviceDialerOptions& options) {
  const bool knows_probes = stream.alpn() == dataplane::kProbeProtocol;
  const dataplane::Deadline patience =
      HangUpAfter(stream, knows_probes ? options.timeout : options.probe_silence);
  char buffer[512];
  const net::mutable_buffer room = net::buffer(buffer);
  auto [error, size] = co_await stream.async_read_some(room, dataplane::kToken);
  if (!error || error == net::error::eof) co_return absl::OkStatus();
  if (!patience.passed()) {
    if (!stream.failure().ok()) co_return stream.failure();
    co_return absl::UnavailableError(
        absl::StrCat("the connection broke off after the TLS handshake: ", error.message()));
  }
  if (!knows_probes) co_return absl::OkStatus();
  co_return absl::UnavailableError(absl::StrCat("the device did not end the probe within ",
                                                absl::FormatDuration(options.timeout),
                                                " of the TLS handshake"));
}

void LogStray(std::exception_ptr stray) {
  if (stray) spdlog::critical("dialling a device ended with an exception");
}

}  // namespace

struct DeviceDialer::State : public std::enable_shared_from_this<DeviceDialer::State> {
  using Self = std::shared_ptr<State>;

  State(NextExecutor executor, dataplane::Relay& the_relay, EdgeEventSink& event_sink,
        const Clock& time, DeviceDialerSources given_sources, DeviceDialerOptions given)
      : next_executor(std::move(executor)),
        relay(the_relay),
        sink(event_sink),
        clock(time),
        sources(std::move(given_sources)),
        options(given) {}

  // What handshakes show and, for lack of a better word, trust; made anew from time to time.
  absl::StatusOr<std::shared_ptr<TlsClientContext>> Context(const std::string& ca_pem,
                                                            Purpose purpose);
  // Connects, and makes sure that it is the device.
  static net::awaitable<Reached> Reach(Self self, std::string unit_id, std::string address,
                                       Purpose purpose);

  static net::awaitable<void> RunDial(Self self, v1::DialDevice request);
  // Hands a connection over to the relay, or drops it.
  static net::awaitable<void> Attach(Self self, const v1::DialDevice& request,
                                     std::unique_ptr<TlsStream> stream);
  static net::awaitable<void> ServeLeg(Self self, Claim claim, std::unique_ptr<TlsStream> stream,
                                       dataplane::PeerInfo peer);
  void Fail(const v1::DialDevice& request, absl::string_view why);

  // Runs `request` and then those that wait.
  static net::awaitable<void> RunProbes(Self self, v1::ProbeDevice request);
  static net::awaitable<void> RunProbe(Self self, const v1::ProbeDevice& request);
  absl::optional<v1::ProbeDevice> NextProbe();
  void Tell(const v1::ProbeDevice& request, const absl::Status& result);

  const NextExecutor next_executor;
  dataplane::Relay& relay;
  EdgeEventSink& sink;
  const Clock& clock;
  const DeviceDialerSources sources;
  const DeviceDialerOptions options;

  absl::Mutex context_mutex;
  std::shared_ptr<TlsClientContext> dial_context ABSL_GUARDED_BY(context_mutex);
  std::shared_ptr<TlsClientContext> probe_context ABSL_GUARDED_BY(context_mutex);
  std::string context_ca_pem ABSL_GUARDED_BY(context_mutex);
  absl::Duration context_until ABSL_GUARDED_BY(context_mutex) = -absl::InfiniteDuration();

  mutable absl::Mutex mutex;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  std::deque<v1::ProbeDevice> waiting ABSL_GUARDED_BY(mutex);
  DeviceDialerCounters counters ABSL_GUARDED_BY(mutex);
};

absl::StatusOr<std::shared_ptr<TlsClientContext>> DeviceDialer::State::Context(
    const std::string& ca_pem, Purpose purpose) {
  if (sources.identity == nullptr) {
    return absl::FailedPreconditionError(
        "this edge dials no devices: an OS 11 device is dialled by the server, or holds a "
        "connection to an ICG");
  }
  if (ca_pem.empty()) {
    return absl::FailedPreconditionError("the server has not told yet which CA signs devices");
  }
  absl::MutexLock lock(&context_mutex);
  const auto& context = purpose == Purpose::kProbe ? probe_context : dial_context;
  if (context != nullptr && context_ca_pem == ca_pem && clock.Monotonic() < context_until) {
    return context;
  }
  const absl::StatusOr<dataplane::TlsIdentity> identity = sources.identity();
  if (!identity.ok()) return Annotate(identity.status(), "our own certificate cannot be had");
  dataplane::TlsTrust trust;
  trust.ca_pem = ca_pem;
  FAIRLEAD_ASSIGN_OR_RETURN(auto for_dials, TlsClientContext::Create(trust, &*identity, {}));
  FAIRLEAD_ASSIGN_OR_RETURN(
      auto for_probes, TlsClientContext::Create(trust, &*identity, {dataplane::kProbeProtocol}));
  dial_context = std::move(for_dials);
  probe_context = std::move(for_probes);
  context_ca_pem = ca_pem;
  context_until = clock.Monotonic() + options.identity_lifetime;
  return context;
}

net::awaitable<Reached> DeviceDialer::State::Reach(Self self, std::string unit_id,
                                                   std::string address, Purpose purpose) {
  const absl::StatusOr<dataplane::Endpoint> endpoint = dataplane::ParseAddress(address);
  if (!endpoint.ok()) co_return endpoint.status();
  dataplane::TlsTrust trust;
  trust.ca_pem = self->sources.device_ca();
  trust.uri = DeviceUri(unit_id);
  absl::StatusOr<std::shared_ptr<TlsClientContext>> context = self->Context(trust.ca_pem, purpose);
  if (!context.ok()) co_return context.status();
  dataplane::DialOptions dial;
  dial.tls = *std::move(context);
  dial.timeout = self->options.timeout;
  dial.trust = std::move(trust);
  Reached stream = co_await dataplane::DialTls(*endpoint, dial);
  if (!stream.ok()) co_return stream.status();
  const auto certificate = (*stream)->peer_certificate();
  if (!certificate.has_value() || self->sources.is_revoked(certificate->fingerprint)) {
    co_await (*stream)->Shutdown(kShutdownTimeout);
    co_return absl::PermissionDeniedError(
        absl::StrCat(address,
                     ": the certificate that was shown is revoked: enrol the device anew "
                     "with a first-authentication key"));
  }
  co_return stream;
}

void DeviceDialer::State::Fail(const v1::DialDevice& request, absl::string_view why) {
  dataplane::CloseReason reason;
  reason.code = dataplane::kClosePeerLost;
  // Control says which device.
  reason.text = std::string(why);
  spdlog::info("session {}: {}", Printable(request.session_id()), Printable(reason.text));
  {
    absl::MutexLock lock(&mutex);
    ++counters.dials_failed;
  }
  relay.FailLeg(request.session_id(), Side::kDevice, std::move(reason));
}

net::awaitable<void> DeviceDialer::State::RunDial(Self self, v1::DialDevice request) {
  Reached stream = co_await Reach(self, request.unit_id(), request.address(), Purpose::kDial);
  bool stopped = false;
  {
    absl::MutexLock lock(&self->mutex);
    --self->counters.dials_now;
    stopped = self->stopped;
  }
  if (stopped) co_return;
  if (stream.ok()) {
    co_await Attach(self, request, *std::move(stream));
  } else {
    self->Fail(request, absl::string_view(stream.status().message()));
  }
}

net::awaitable<void> DeviceDialer::State::Attach(Self self, const v1::DialDevice& request,
                                                 std::unique_ptr<TlsStream> stream) {
  if (!self->relay.Knows(request.session_id())) {
    co_await stream->Shutdown(kShutdownTimeout);
    co_return;
  }
  dataplane::PeerInfo peer = dataplane::PeerOf(stream->socket());
  peer.certificate = stream->peer_certificate();
  Claim claim = self->relay.ClaimTicket(request.ticket(), Side::kDevice, request.unit_id(), peer);
  if (!claim.granted) {
    self->Fail(request, claim.refusal.text);
    co_await stream->Shutdown(kShutdownTimeout);
    co_return;
  }
  const net::any_io_executor executor = claim.executor;
  stream->MoveTo(executor);
  net::co_spawn(executor, ServeLeg(self, std::move(claim), std::move(stream), std::move(peer)),
                &LogStray);
}

net::awaitable<void> DeviceDialer::State::ServeLeg(Self self, Claim claim,
                                                   std::unique_ptr<TlsStream> stream,
                                                   dataplane::PeerInfo peer) {
  auto leg = dataplane::MakeStreamLeg(std::move(stream), std::move(peer));
  co_await self->relay.Serve(std::move(claim), std::move(leg));
}

net::awaitable<void> DeviceDialer::State::RunProbes(Self self, v1::ProbeDevice request) {
  for (;;) {
    co_await RunProbe(self, request);
    absl::optional<v1::ProbeDevice> next = self->NextProbe();
    if (!next.has_value()) co_return;
    request = std::move(*next);
  }
}

net::awaitable<void> DeviceDialer::State::RunProbe(Self self, const v1::ProbeDevice& request) {
  Reached stream = co_await Reach(self, request.unit_id(), request.address(), Purpose::kProbe);
  if (!stream.ok()) {
    self->Tell(request, stream.status());
    co_return;
  }
  const absl::Status word = co_await AwaitWord(**stream, self->options);
  self->Tell(request, word.ok() ? word : Annotate(word, request.address()));
  co_await (*stream)->Shutdown(kShutdownTimeout);
}

absl::optional<v1::ProbeDevice> DeviceDialer::State::NextProbe() {
  absl::MutexLock lock(&mutex);
  if (waiting.empty()) {
    --counters.probes_now;
    return absl::nullopt;
  }
  v1::ProbeDevice next = std::move(waiting.front());
  waiting.pop_front();
  return next;
}

void DeviceDialer::State::Tell(const v1::ProbeDevice& request, const absl::Status& result) {
  {
    absl::MutexLock lock(&mutex);
    if (stopped) return;
    if (!result.ok()) ++counters.probes_failed;
  }
  v1::EdgeEvent event;
  v1::ProbeResult& told = *event.mutable_probe_result();
  told.set_unit_id(request.unit_id());
  told.set_probe_id(request.probe_id());
  told.set_reachable(result.ok());
  told.set_error(std::string(result.message()));
  *told.mutable_time() = ToProto(clock.Now());
  sink.Publish(std::move(event));
}

DeviceDialer::DeviceDialer(NextExecutor next_executor, dataplane::Relay& relay, EdgeEventSink& sink,
                           const Clock& clock, DeviceDialerSources sources,
                           DeviceDialerOptions options)
    : state_(std::make_shared<State>(std::move(next_executor), relay, sink, clock,
                                     std::move(sources), options)) {}

DeviceDialer::~DeviceDialer() { Stop(); }

void DeviceDialer::Dial(v1::DialDevice request) {
  bool too_many = false;
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->stopped) return;
    too_many = state_->counters.dials_now >= state_->options.max_dials;
    ++state_->counters.dials;
    if (!too_many) ++state_->counters.dials_now;
  }
  if (too_many) {
    state_->Fail(request, "too many devices are being dialled; try again in some seconds");
    return;
  }
  net::co_spawn(state_->next_executor(), State::RunDial(state_, std::move(request)), &LogStray);
}

void DeviceDialer::Probe(v1::ProbeDevice request) {
  bool too_many = false;
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->stopped) return;
    ++state_->counters.probes;
    if (state_->counters.probes_now >= state_->options.max_probes) {
      too_many = state_->waiting.size() >= state_->options.max_waiting_probes;
      if (!too_many) state_->waiting.push_back(std::move(request));
      if (!too_many) return;
    } else {
      ++state_->counters.probes_now;
    }
  }
  if (too_many) {
    state_->Tell(request, absl::ResourceExhaustedError(
                              "too many devices wait to be probed; probe fewer, or less often"));
    return;
  }
  net::co_spawn(state_->next_executor(), State::RunProbes(state_, std::move(request)), &LogStray);
}

void DeviceDialer::Stop() {
  absl::MutexLock lock(&state_->mutex);
  state_->stopped = true;
  state_->waiting.clear();
}

DeviceDialerCounters DeviceDialer::counters() const {
  absl::MutexLock lock(&state_->mutex);
  DeviceDialerCounters counters = state_->counters;
  counters.probes_waiting = state_->waiting.size();
  return counters;
}

}  // namespace fairlead::gateway
