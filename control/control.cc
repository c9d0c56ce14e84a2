// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See control.h.
#include "control/control.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/state_file.h"
#include "base/status.h"
#include "base/wait.h"
#include "control/audit_log.h"
#include "control/audit_service.h"
#include "control/auth_service.h"
#include "control/authenticator.h"
#include "control/bootstrap.h"
#include "control/device_directory.h"
#include "control/device_service.h"
#include "control/edge_controller.h"
#include "control/edge_link.h"
#include "control/enrollment_service.h"
#include "control/est_handler.h"
#include "control/icg_links.h"
#include "control/icg_service.h"
#include "control/link_identity.h"
#include "control/password.h"
#include "control/session_board.h"
#include "control/session_coordinator.h"
#include "control/session_service.h"
#include "control/sqlite_store.h"
#include "control/unimplemented_services.h"

namespace fairlead::control {
namespace {

// Tasks that may wait. The serial executor's and the store's are short; each is bounded by what
// edges and callers may have under way.
constexpr std::size_t kMaxQueuedTasks = 100'000;
constexpr std::size_t kMaxQueuedCalls = 1'000;
constexpr absl::Duration kTokenSweepInterval = absl::Minutes(10);
// How long Stop waits for what is to be written.
constexpr absl::Duration kStopTimeout = absl::Seconds(5);

// Asks a resolver that is known later than its users.
class LatePeers : public CallPeerResolver {
 public:
  void Set(const CallPeerResolver* peers) { peers_.store(peers); }
  absl::optional<CallPeer> Resolve(absl::string_view grpc_peer) const override {
    const CallPeerResolver* peers = peers_.load();
    if (peers == nullptr) return absl::nullopt;
    return peers->Resolve(grpc_peer);
  }

 private:
  std::atomic<const CallPeerResolver*> peers_{nullptr};
};

// Has newly enrolled devices probed that are dialled, and puts out whoever holds the certificates
// that they replace: edges refuse them, and their sessions end, whose tunnels would outlive the
// standing connection.
class EnrollmentFollowUp : public EnrollmentObserver {
 public:
  // Before the first enrolment.
  void Set(EdgeController* edges, SessionCoordinator* sessions) {
    edges_ = edges;
    sessions_ = sessions;
  }

  void OnEnrolled(const v1::Device& device) override { edges_->ProbeDevice(device.unit_id()); }
  void OnRevoked(const std::string& unit_id,
                 const std::vector<std::string>& fingerprints) override {
    sessions_->EndSessionsOf(unit_id, absl::StrCat("device ", unit_id, " enrolled anew"));
    edges_->DropDevice(unit_id, "the device enrolled anew", fingerprints);
  }

 private:
  EdgeController* edges_ = nullptr;
  SessionCoordinator* sessions_ = nullptr;
};

// Keeps a second server out of the state folder for as long as it lives.
class FolderLock {
 public:
  FolderLock() = default;
  ~FolderLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  // Errors: FAILED_PRECONDITION another process has it; INTERNAL.
  absl::Status Take(const std::string& folder) {
    const std::string path = absl::StrCat(folder, "/lock");
    descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) {
      return absl::InternalError(absl::StrCat(path, ": cannot be opened: ", strerror(errno)));
    }
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        folder, ": another server uses this state folder; stop it, or give this one its own"));
  }

 private:
  int descriptor_ = -1;
};

// What must be in the state folder before the parts can be made.
struct Foundation {
  std::unique_ptr<FolderLock> lock = std::make_unique<FolderLock>();
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<CertificateAuthority> authority;
  std::vector<std::string> revoked;
};

absl::StatusOr<Foundation> LayFoundation(const ControlOptions& options) {
  FAIRLEAD_RETURN_IF_ERROR(EnsureFolder(options.state_dir));
  Foundation foundation;
  FAIRLEAD_RETURN_IF_ERROR(foundation.lock->Take(options.state_dir));
  FAIRLEAD_ASSIGN_OR_RETURN(foundation.store,
                            SqliteStore::Open(absl::StrCat(options.state_dir, "/fairlead.db")));
  FAIRLEAD_ASSIGN_OR_RETURN(foundation.authority,
                            CertificateAuthority::OpenOrCreate(options.state_dir, SystemClock()));
  FAIRLEAD_ASSIGN_OR_RETURN(foundation.revoked,
                            foundation.store->RevokedFingerprints(SystemClock().Now()));
  return foundation;
}

v1::EdgeConfiguration MakeConfiguration(const ControlOptions& options,
                                        const Foundation& foundation) {
  v1::EdgeConfiguration configuration;
  configuration.set_server_name(options.server_name);
  configuration.set_device_ca_pem(foundation.authority->certificate_pem());
  for (const std::string& fingerprint : foundation.revoked) {
    configuration.add_revoked_fingerprints(fingerprint);
  }
  for (const std::string& origin : options.allowed_origins) {
    configuration.add_allowed_origins(origin);
  }
  return configuration;
}

}  // namespace

// Members are in the order of their use: each uses those before it. The executors are stopped by
// Control::Stop, before any of them goes.
struct Control::Parts {
  Parts(ControlOptions control_options, Foundation foundation)
      : options(std::move(control_options)),
        configuration(MakeConfiguration(options, foundation)),
        lock(std::move(foundation.lock)),
        store(std::move(foundation.store)),
        authority(std::move(foundation.authority)),
        audit(*store, clock),
        directory(*store, clock),
        authenticator(*store, clock, &peers, {.idle_timeout = options.token_idle_timeout}),
        est(*store, *authority, directory, audit, clock, &enrollment_follow_up),
        workers("worker", std::max(2, options.worker_threads), kMaxQueuedCalls),
        store_executor("store", 1, kMaxQueuedTasks),
        serial("control", 1, kMaxQueuedTasks),
        edges({serial, store_executor, workers, audit, directory, est, clock}, configuration),
        sessions({serial, store_executor, *store, audit, directory, board, edges, clock},
                 {.sessions_per_user_per_minute = options.sessions_per_user_per_minute,
                  .consoles_through_server = options.consoles_through_server}),
        link_identity(*authority, options.server_name, clock),
        icg_links({serial, edges, *authority, link_identity, options.edge_dialer}),
        calls{workers, authenticator},
        watches{*store, clock, options.token_check_interval},
        auth_service(calls, authenticator, *store, audit, clock, hasher),
        device_service(calls, watches, directory, edges, sessions, audit),
        session_service(calls, watches, sessions, board, *store),
        enrollment_service(calls, *store, audit, clock),
        audit_service(calls, *store),
        icg_service(calls, {*store, *authority, audit, clock, icg_links, edges.board(), directory}),
        user_service(calls),
        role_service(calls) {
    edges.SetSessions(&sessions);
    enrollment_follow_up.Set(&edges, &sessions);
  }

  absl::Status Load();
  void SweepTokens();

  const ControlOptions options;
  const Clock& clock = SystemClock();
  const v1::EdgeConfiguration configuration;
  const std::unique_ptr<FolderLock> lock;
  const std::unique_ptr<SqliteStore> store;
  const std::unique_ptr<CertificateAuthority> authority;
  std::string made_password_file;
  LatePeers peers;
  PasswordHasher hasher;
  AuditLog audit;
  DeviceDirectory directory;
  EnrollmentFollowUp enrollment_follow_up;
  SessionBoard board;
  TokenAuthenticator authenticator;
  StoreEstHandler est;
  ThreadExecutor workers;
  ThreadExecutor store_executor;
  ThreadExecutor serial;
  EdgeController edges;
  SessionCoordinator sessions;
  LinkIdentity link_identity;
  IcgLinks icg_links;
  const CallSupport calls;
  const WatchSupport watches;
  AuthService auth_service;
  DeviceService device_service;
  SessionService session_service;
  EnrollmentService enrollment_service;
  AuditService audit_service;
  IcgService icg_service;
  UserService user_service;
  RoleService role_service;
  std::unique_ptr<EdgeLink> local_link;
  bool stopped = false;
};

absl::Status Control::Parts::Load() {
  FAIRLEAD_ASSIGN_OR_RETURN(
      const BootstrapResult result,
      EnsureFirstAdministrator({.password = options.admin_password, .state_dir = options.state_dir},
                               *store, audit, clock, hasher));
  made_password_file = result.password_file;
  FAIRLEAD_RETURN_IF_ERROR(directory.Load());
  return sessions.Recover();
}

void Control::Parts::SweepTokens() {
  const absl::Status status = store->DeleteExpiredTokens(clock.Now());
  if (!status.ok()) spdlog::error("expired tokens were not swept: {}", status.ToString());
  store_executor.PostAfter(kTokenSweepInterval, [this]() { SweepTokens(); });
}

absl::StatusOr<std::unique_ptr<Control>> Control::Create(ControlOptions options) {
  FAIRLEAD_ASSIGN_OR_RETURN(Foundation foundation, LayFoundation(options));
  auto parts = std::make_unique<Parts>(std::move(options), std::move(foundation));
  FAIRLEAD_RETURN_IF_ERROR(parts->Load());
  return std::unique_ptr<Control>(new Control(std::move(parts)));
}

Control::Control(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Control::~Control() { Stop(); }

std::vector<grpc::Service*> Control::services() {
  return {&parts_->auth_service,       &parts_->device_service, &parts_->session_service,
          &parts_->enrollment_service, &parts_->audit_service,  &parts_->icg_service,
          &parts_->user_service,       &parts_->role_service};
}

const CertificateAuthority& Control::authority() const { return *parts_->authority; }

const std::string& Control::made_password_file() const { return parts_->made_password_file; }

void Control::SetCallPeers(const CallPeerResolver* peers) { parts_->peers.Set(peers); }

absl::StatusOr<IssuedIdentity> Control::DialIdentity() { return parts_->link_identity.Get(); }

void Control::SetPublicAddress(absl::string_view address) {
  parts_->edges.SetPublicAddress(address);
  parts_->sessions.SetPublicAddress(address);
}

absl::Status Control::Start(std::shared_ptr<grpc::Channel> local_edge) {
  Parts& parts = *parts_;
  if (parts.local_link != nullptr || parts.stopped) {
    return absl::FailedPreconditionError("control was started before");
  }
  FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<v1::Icg> icgs, parts.store->ListIcgs());
  parts.local_link = std::make_unique<EdgeLink>(FixedChannel(std::move(local_edge)), parts.serial,
                                                parts.edges, EdgeLinkOptions{.edge = kLocalEdge});
  parts.serial.PostAfter(absl::ZeroDuration(), [&parts]() {
    parts.edges.AddEdge(kLocalEdge, parts.local_link.get());
    parts.edges.StartProbes();
  });
  parts.local_link->Start();
  for (const v1::Icg& icg : icgs) parts.icg_links.Add(icg);
  parts.store_executor.Post([&parts]() { parts.SweepTokens(); });
  return absl::OkStatus();
}

void Control::Stop() {
  Parts& parts = *parts_;
  if (parts.stopped) return;
  parts.stopped = true;
  auto ended = std::make_shared<Event>();
  parts.sessions.Shutdown([ended]() { ended->Set(); });
  if (!ended->WaitFor(kStopTimeout)) {
    spdlog::error("not all sessions could be stored; they are marked as ended at the next start");
  }
  parts.icg_links.Stop();
  if (parts.local_link != nullptr) parts.local_link->Stop();
  parts.workers.Stop();
  parts.serial.Stop();
  parts.store_executor.Stop();
  parts.sessions.FailPending();
}

}  // namespace fairlead::control
