// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See listener.h. The state outlives the listener for as long as a connection uses it.
#include "dataplane/listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/acceptor.h"
#include "dataplane/connection_breaker.h"
#include "dataplane/connection_limits.h"
#include "dataplane/http_connection.h"
#include "dataplane/io_threads.h"
#include "dataplane/stream_peer.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

using net::ip::tcp;

// How long accepting pauses when the process or the kernel lacks descriptors or memory.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);
constexpr absl::Duration kWarningInterval = absl::Seconds(10);

// The connections that are open.
class OpenConnections {
 public:
  std::uint64_t Add(std::shared_ptr<ConnectionBreaker> breaker) {
    const Lock lock(mutex_);
    if (broken_) breaker->Break();
    breakers_.emplace(++last_id_, std::move(breaker));
    return last_id_;
  }
  void Remove(std::uint64_t id) {
    const Lock lock(mutex_);
    breakers_.erase(id);
    if (breakers_.empty()) emptied_.notify_all();
  }
  // By the steady clock, which a timeout of absl::Mutex is not.
  bool AwaitNone(absl::Duration timeout) {
    std::unique_lock<std::mutex> lock(mutex_);
    return emptied_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                             [this]() { return breakers_.empty(); });
  }
  void BreakAll() {
    const Lock lock(mutex_);
    broken_ = true;
    for (const auto& [id, breaker] : breakers_) breaker->Break();
  }

 private:
  using Lock = std::lock_guard<std::mutex>;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable emptied_;
  bool broken_ = false;
  std::uint64_t last_id_ = 0;
  absl::flat_hash_map<std::uint64_t, std::shared_ptr<ConnectionBreaker>> breakers_;
};

// A coroutine that ends with an exception has a bug; its connection is gone, the rest goes on.
void LogException(std::exception_ptr exception) {
  if (exception == nullptr) return;
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    spdlog::error("a connection ended with an exception: {}", error.what());
  } catch (...) {
    spdlog::error("a connection ended with an unknown exception");
  }
}

}  // namespace

struct Listener::State {
  State(IoThreads& the_threads, std::shared_ptr<TlsServerContext> the_tls, const Router& the_router,
        RawHandler the_on_h2, ListenerOptions the_options)
      : threads(the_threads),
        tls(std::move(the_tls)),
        router(the_router),
        on_h2(std::move(the_on_h2)),
        options(std::move(the_options)),
        unauthenticated(std::make_shared<ConnectionLimits>(
            options.limits.max_unauthenticated, options.limits.max_unauthenticated_per_host)) {}

  void Refuse(const PeerInfo& peer, ConnectionLimits::Verdict verdict);
  void WarnOfAccept(const error_code& error);

  IoThreads& threads;
  const std::shared_ptr<TlsServerContext> tls;
  const Router& router;
  const RawHandler on_h2;
  const ListenerOptions options;
  const std::shared_ptr<ConnectionLimits> unauthenticated;
  OpenConnections open;
  WarningGate refusal_gate{kWarningInterval};
  WarningGate accept_gate{kWarningInterval};

  // Set by Start, before any thread uses them. An acceptor itself belongs to the coroutine that
  // accepts from it, so that both go with their io_context.
  std::vector<std::shared_ptr<ConnectionBreaker>> acceptors;
  std::vector<std::uint16_t> ports;

  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused_too_many{0};
  std::atomic<std::uint64_t> handshake_failed{0};
  std::atomic<std::uint64_t> open_now{0};
  std::atomic<bool> stopped{false};

  // The rest are coroutines; static, so that they hold the state by value.
  static net::awaitable<void> Accept(std::shared_ptr<State> state,
                                     std::unique_ptr<tcp::acceptor> acceptor,
                                     std::shared_ptr<ConnectionBreaker> breaker);
  static net::awaitable<void> ServeCounted(std::shared_ptr<State> state, tcp::socket socket,
                                           PeerInfo peer);
  static net::awaitable<void> Serve(std::shared_ptr<State> state, std::unique_ptr<TlsStream> stream,
                                    PeerInfo peer);
  // Takes what waits; an error is one of accepting.
  static error_code AcceptSome(const std::shared_ptr<State>& state, tcp::acceptor& acceptor);
  static void Admit(const std::shared_ptr<State>& state, int descriptor, const tcp::endpoint& from);
};

namespace {

// Counts a connection as open while it exists.
class OpenScope {
 public:
  // `owner` owns what is referred to.
  OpenScope(std::shared_ptr<void> owner, std::atomic<std::uint64_t>& open_now,
            OpenConnections& open, std::shared_ptr<ConnectionBreaker> breaker,
            std::shared_ptr<Admission> admission)
      : owner_(std::move(owner)),
        open_now_(open_now),
        open_(open),
        id_(open.Add(std::move(breaker))),
        admission_(std::move(admission)) {
    ++open_now_;
  }
  ~OpenScope() {
    // Copies of the peer's description may live on.
    admission_->MarkAuthenticated();
    --open_now_;
    open_.Remove(id_);
  }
  OpenScope(const OpenScope&) = delete;
  OpenScope& operator=(const OpenScope&) = delete;

 private:
  const std::shared_ptr<void> owner_;
  std::atomic<std::uint64_t>& open_now_;
  OpenConnections& open_;
  const std::uint64_t id_;
  const std::shared_ptr<Admission> admission_;
};

// Retires a breaker before the descriptor goes.
class RetireScope {
 public:
  explicit RetireScope(ConnectionBreaker& breaker) : breaker_(breaker) {}
  ~RetireScope() { breaker_.Retire(); }
  RetireScope(const RetireScope&) = delete;
  RetireScope& operator=(const RetireScope&) = delete;

 private:
  ConnectionBreaker& breaker_;
};

// How many connections are accepted before those that are served have their turn.
constexpr int kAcceptsInARow = 64;

// One connection that waits. Below 0: `error` is set.
int AcceptOne(int listening, tcp::endpoint& peer, error_code& error) {
  auto size = static_cast<socklen_t>(peer.capacity());
  const int descriptor = ::accept4(listening, peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  error = descriptor < 0 ? error_code(errno, boost::system::system_category()) : error_code();
  if (!error) peer.resize(size);
  return descriptor;
}

bool IsOver(const error_code& error) {
  return error == net::error::operation_aborted || error == net::error::bad_descriptor;
}

// The peer left before it was accepted: no reason to pause.
bool IsPeersFault(const error_code& error) {
  return error == net::error::connection_aborted || error == net::error::connection_reset ||
         error == net::error::interrupted;
}

}  // namespace

void Listener::State::Refuse(const PeerInfo& peer, ConnectionLimits::Verdict verdict) {
  ++refused_too_many;
  std::size_t suppressed = 0;
  if (!refusal_gate.Allow(SystemClock().Monotonic(), suppressed)) return;
  spdlog::warn(
      "refused a connection from {}: too many unauthenticated connections {} ({} more "
      "refusals not logged)",
      peer.address,
      verdict == ConnectionLimits::Verdict::kTooManyInAll ? "in all" : "from this host",
      suppressed);
}

void Listener::State::WarnOfAccept(const error_code& error) {
  std::size_t suppressed = 0;
  if (!accept_gate.Allow(SystemClock().Monotonic(), suppressed)) return;
  spdlog::warn(
      "cannot accept connections for the moment: {} (raise the limit of open files if "
      "this persists; {} more failures not logged)",
      error.message(), suppressed);
}

net::awaitable<void> Listener::State::Accept(std::shared_ptr<State> state,
                                             std::unique_ptr<tcp::acceptor> acceptor,
                                             std::shared_ptr<ConnectionBreaker> breaker) {
  const RetireScope retire(*breaker);
  net::steady_timer pause(acceptor->get_executor());
  error_code ignored;
  acceptor->native_non_blocking(true, ignored);
  while (!state->stopped) {
    auto [error] = co_await acceptor->async_wait(net::socket_base::wait_read, kToken);
    if (!error) error = AcceptSome(state, *acceptor);
    if (state->stopped || IsOver(error)) co_return;
    if (!error || IsPeersFault(error)) continue;
    state->WarnOfAccept(error);
    pause.expires_after(absl::ToChronoNanoseconds(kAcceptPause));
    co_await pause.async_wait(kToken);
  }
}

error_code Listener::State::AcceptSome(const std::shared_ptr<State>& state,
                                       tcp::acceptor& acceptor) {
  for (int i = 0; i < kAcceptsInARow && !state->stopped; ++i) {
    tcp::endpoint peer;
    error_code error;
    const int descriptor = AcceptOne(acceptor.native_handle(), peer, error);
    if (error == net::error::would_block) return {};
    if (error) return error;
    Admit(state, descriptor, peer);
  }
  return {};
}

void Listener::State::Admit(const std::shared_ptr<State>& state, int descriptor,
                            const tcp::endpoint& from) {
  ++state->accepted;
  PeerInfo peer = PeerAt(from);
  const std::string key = LimitKey(peer.host);
  const ConnectionLimits::Verdict verdict = state->unauthenticated->Admit(key);
  if (verdict != ConnectionLimits::Verdict::kAdmitted) {
    // Before anything is allocated for it. Counted before the peer can tell.
    state->Refuse(peer, verdict);
    ::close(descriptor);
    return;
  }
  peer.admission = std::make_shared<AdmittedConnection>(state->unauthenticated, key);
  // Asio first sees the socket where it is served, which saves handing it over.
  tcp::socket socket(state->threads.NextExecutor());
  error_code error;
  socket.assign(from.protocol(), descriptor, error);
  if (error) {
    ::close(descriptor);
    return;
  }
  const net::any_io_executor executor = socket.get_executor();
  net::co_spawn(executor, ServeCounted(state, std::move(socket), std::move(peer)), LogException);
}

net::awaitable<void> Listener::State::ServeCounted(std::shared_ptr<State> state, tcp::socket socket,
                                                   PeerInfo peer) {
  auto stream = std::make_unique<TlsStream>(std::move(socket), state->tls->Acquire(),
                                            TlsStream::Role::kServer);
  // A tunnel stays open when this coroutine has long ended.
  const auto scope = std::make_shared<OpenScope>(state, state->open_now, state->open,
                                                 stream->breaker(), peer.admission);
  stream->SetLease(scope);
  co_await Serve(state, std::move(stream), std::move(peer));
}

net::awaitable<void> Listener::State::Serve(std::shared_ptr<State> state,
                                            std::unique_ptr<TlsStream> stream, PeerInfo peer) {
  const absl::Status status =
      co_await stream->Handshake(state->options.limits.handshake_timeout, std::string(), nullptr);
  if (!status.ok()) {
    ++state->handshake_failed;
    spdlog::debug("{}: {}", peer.address, Printable(status.message()));
    co_return;
  }
  peer.certificate = stream->peer_certificate();
  if (peer.certificate.has_value()) peer.MarkAuthenticated();
  if (stream->alpn() == "h2" && state->on_h2) {
    co_await state->on_h2(std::move(stream), std::move(peer));
  } else {
    co_await ServeHttp(std::move(stream), std::move(peer), state->router, state->options.limits);
  }
}

Listener::Listener(IoThreads& threads, std::shared_ptr<TlsServerContext> tls, const Router& router,
                   RawHandler on_h2, ListenerOptions options)
    : state_(std::make_shared<State>(threads, std::move(tls), router, std::move(on_h2),
                                     std::move(options))) {}

Listener::~Listener() {
  StopAccepting();
  CloseAll();
}

absl::Status Listener::Start() {
  if (state_->options.addresses.empty()) {
    return absl::InvalidArgumentError("there is no address to listen on; give at least one");
  }
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors;
  for (const std::string& address : state_->options.addresses) {
    absl::StatusOr<tcp::acceptor> acceptor = Listen(state_->threads.NextExecutor(), address);
    if (!acceptor.ok()) return acceptor.status();
    acceptors.push_back(std::make_unique<tcp::acceptor>(*std::move(acceptor)));
  }
  for (auto& acceptor : acceptors) {
    error_code error;
    state_->ports.push_back(acceptor->local_endpoint(error).port());
    auto breaker = std::make_shared<ConnectionBreaker>(acceptor->native_handle());
    state_->acceptors.push_back(breaker);
    const net::any_io_executor executor = acceptor->get_executor();
    net::co_spawn(executor, State::Accept(state_, std::move(acceptor), std::move(breaker)),
                  LogException);
  }
  return absl::OkStatus();
}

std::uint16_t Listener::port() const { return state_->ports.empty() ? 0 : state_->ports.front(); }

std::vector<std::uint16_t> Listener::ports() const { return state_->ports; }

void Listener::StopAccepting() {
  if (state_->stopped.exchange(true)) return;
  // A listening socket that is shut down refuses connections, and its accept fails.
  for (const auto& acceptor : state_->acceptors) acceptor->Break();
}

void Listener::CloseAll() { state_->open.BreakAll(); }

bool Listener::AwaitClosed(absl::Duration timeout) { return state_->open.AwaitNone(timeout); }

ListenerCounters Listener::counters() const {
  ListenerCounters counters;
  counters.accepted = state_->accepted;
  counters.refused_too_many = state_->refused_too_many;
  counters.handshake_failed = state_->handshake_failed;
  counters.open_now = state_->open_now;
  return counters;
}

}  // namespace fairlead::dataplane
