// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See edge_server_state.h.
#include "gateway/edge_server_state.h"

#include <boost/asio/steady_timer.hpp>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/log.h"
#include "gateway/refusal.h"
#include "gateway/tunnel_events.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;
using dataplane::error_code;

constexpr char kServerUri[] = "urn:fairlead:server:";

absl::Status LinkLost() {
  return absl::UnavailableError("The link to the server was lost. Try again.");
}

}  // namespace

grpc::Status EdgeServer::State::CheckAccess(const std::string& peer) const {
  if (IsInProcess(peer)) return grpc::Status::OK;
  const absl::optional<CallPeer> caller = peers.Resolve(peer);
  if (caller.has_value()) {
    for (const std::string& uri : caller->certificate_uris) {
      if (absl::StartsWith(uri, kServerUri)) return grpc::Status::OK;
    }
  }
  return grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                      "Only a server may link to this edge: show a client certificate that names "
                      "urn:fairlead:server:<name>.");
}

void EdgeServer::State::StartConfigureDeadline(const std::shared_ptr<EdgeLink>& link) {
  // The handler owns the timer: nobody else touches it, and it goes with the I/O threads.
  const auto timer = std::make_shared<net::steady_timer>(timers);
  timer->expires_after(absl::ToChronoNanoseconds(options.configure_timeout));
  timer->async_wait([timer, weak = std::weak_ptr<EdgeLink>(link)](error_code error) {
    const auto late = weak.lock();
    if (error || late == nullptr || late->configured()) return;
    late->End(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED,
                           "The link's first message, configure, did not come in time."),
              EdgeLink::Queued::kDrop);
  });
}

std::shared_ptr<EdgeLink> EdgeServer::State::Keeping(EdgeLink& link) {
  absl::MutexLock lock(&mutex);
  const auto found = links.find(&link);
  return found == links.end() ? nullptr : found->second;
}

void EdgeServer::State::OnFirstCommand(EdgeLink& link, const v1::EdgeCommand& command) {
  if (!command.has_configure()) {
    link.End(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                          "The first message of a link must be configure."),
             EdgeLink::Queued::kDrop);
    return;
  }
  spdlog::info("linked by server {}", Printable(command.configure().server_name()));
  // Before the snapshot: a revoked device must not appear in it.
  actions->Configure(command.configure());
  Install(Keeping(link));
}

void EdgeServer::State::Install(const std::shared_ptr<EdgeLink>& link) {
  std::shared_ptr<EdgeLink> replaced;
  std::size_t dropped = 0;
  {
    absl::MutexLock lock(&mutex);
    if (stopping || link == nullptr) return;
    std::vector<v1::EdgeEvent> events(1);
    events[0].mutable_hello()->set_version(options.version);
    events[0].mutable_hello()->set_boot_id(boot_id);
    std::vector<v1::EdgeEvent> snapshot = edge.Snapshot(clock.Monotonic());
    dropped = edge.TakeDropped();
    std::move(snapshot.begin(), snapshot.end(), std::back_inserter(events));
    events.emplace_back().mutable_snapshot_complete();
    link->PushSnapshot(std::move(events));
    replaced = std::exchange(current, link);
    enrolments.FailAll(LinkLost());
  }
  if (replaced != nullptr) {
    replaced->End(
        grpc::Status(grpc::StatusCode::ABORTED, "A newer link took the place of this one."),
        EdgeLink::Queued::kDrop);
  }
  if (dropped > 0) {
    spdlog::warn(
        "{} ends of sessions and refusals could not be kept for the server, being too many",
        dropped);
  }
  on_link_change();
  link->Pump();
}

void EdgeServer::State::OnCommand(EdgeLink& link, const v1::EdgeCommand& command) {
  if (!link.configured()) {
    OnFirstCommand(link, command);
    return;
  }
  {
    absl::MutexLock lock(&mutex);
    if (current.get() != &link) return;
  }
  switch (command.command_case()) {
    case v1::EdgeCommand::kConfigure:
      actions->Configure(command.configure());
      break;
    case v1::EdgeCommand::kRegisterSession:
      Register(command.register_session());
      break;
    case v1::EdgeCommand::kEndSession:
      actions->EndSession(command.end_session());
      break;
    case v1::EdgeCommand::kDeviceCommand:
      actions->SendToDevice(command.device_command());
      break;
    case v1::EdgeCommand::kDropDevice:
      actions->DropDevice(command.drop_device());
      break;
    case v1::EdgeCommand::kEstResponse:
      enrolments.Answer(command.est_response());
      break;
    case v1::EdgeCommand::kDialDevice:
      actions->DialDevice(command.dial_device());
      break;
    case v1::EdgeCommand::kProbeDevice:
      actions->ProbeDevice(command.probe_device());
      break;
    case v1::EdgeCommand::kForwardConsole:
      actions->ForwardConsole(command.forward_console());
      break;
    case v1::EdgeCommand::COMMAND_NOT_SET:
      break;
  }
}

void EdgeServer::State::OnWritten(const v1::EdgeEvent& event) {
  const bool matters = event.has_tunnel_event() || event.has_snapshot_complete();
  if (!matters) return;
  absl::MutexLock lock(&mutex);
  edge.OnWritten(event, clock.Monotonic());
}

void EdgeServer::State::OnHangUp(EdgeLink& link) {
  {
    absl::MutexLock lock(&mutex);
    if (current.get() != &link) return;
    current = nullptr;
    enrolments.FailAll(LinkLost());
  }
  on_link_change();
}

void EdgeServer::State::OnGone(EdgeLink& link) {
  OnHangUp(link);
  std::shared_ptr<EdgeLink> gone;
  absl::MutexLock lock(&mutex);
  const auto found = links.find(&link);
  if (found == links.end()) return;
  gone = found->second;
  links.erase(found);
}

void EdgeServer::State::Register(const v1::RegisterSession& session) {
  const absl::Status registered = actions->RegisterSession(session);
  if (registered.ok()) return;
  spdlog::warn("session {}: not registered: {}", Printable(session.session_id()),
               std::string(registered.message()));
  if (registered.code() == absl::StatusCode::kAlreadyExists) return;
  PublishTunnel(NotRegisteredEvent(session.session_id(), registered));
}

void EdgeServer::State::Publish(v1::EdgeEvent event) {
  std::shared_ptr<EdgeLink> link;
  bool kept = true;
  {
    absl::MutexLock lock(&mutex);
    edge.Apply(event);
    ++counters.events;
    link = current;
    if (link == nullptr) {
      if (event.has_refusal()) edge.KeepRefusal(event);
      return;
    }
    kept = link->Push(std::move(event));
    if (!kept) {
      ++counters.links_overflowed;
      current = nullptr;
      enrolments.FailAll(LinkLost());
    }
  }
  if (kept) {
    link->Pump();
    return;
  }
  on_link_change();
  spdlog::warn("the server's link could not keep up and was ended; it must link again");
  link->End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                         "The link could not keep up with this edge's events. Open it again."),
            EdgeLink::Queued::kDrop);
}

void EdgeServer::State::PublishTunnel(v1::TunnelEvent event) {
  *event.mutable_time() = gateway::ToProto(clock.Now());
  v1::EdgeEvent outer;
  *outer.mutable_tunnel_event() = std::move(event);
  Publish(std::move(outer));
}

std::vector<std::shared_ptr<EdgeLink>> EdgeServer::State::Stop() {
  absl::MutexLock lock(&mutex);
  stopping = true;
  current = nullptr;
  enrolments.FailAll(LinkLost());
  std::vector<std::shared_ptr<EdgeLink>> open;
  for (const auto& [pointer, link] : links) open.push_back(link);
  return open;
}

}  // namespace fairlead::gateway
