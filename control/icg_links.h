// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The links to all registered ICGs: one EdgeLink each, from registration, or the server's start, to
// deletion. Used by Control and the ICG service.
#ifndef FAIRLEAD_CONTROL_ICG_LINKS_H_
#define FAIRLEAD_CONTROL_ICG_LINKS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/edge_dialer.h"
#include "base/executor.h"
#include "control/edge_controller.h"
#include "control/edge_link.h"
#include "control/link_identity.h"
#include "proto/icg.pb.h"

namespace fairlead::control {

// What the links work with. Lifetime: all of it outlives them.
struct IcgLinkSupport {
  Executor& serial;
  EdgeController& edges;
  const CertificateAuthority& authority;
  // What ICGs are shown.
  LinkIdentity& identity;
  // Null where no ICG can be dialled; they then stay disconnected, with a reason.
  EdgeDialer* dialer = nullptr;
};

// Thread: any but the serial executor's; may block for some seconds.
// Lifecycle: Stop before the executors stop; these must have stopped before it is destroyed.
class IcgLinks {
 public:
  explicit IcgLinks(IcgLinkSupport support) : support_(support) {}
  // Stops.
  ~IcgLinks() { Stop(); }

  // Begins to keep a link to an ICG that has none. After Stop, does nothing.
  void Add(const v1::Icg& icg);

  // Ends the link, its sessions and its devices' connections; no edge takes these certificates of
  // the ICG's any more.
  void Remove(const std::string& name, const std::vector<std::string>& fingerprints);

  void Stop();

 private:
  // How to get a connection to the ICG.
  ChannelSource SourceFor(const v1::Icg& icg) const;

  const IcgLinkSupport support_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::shared_ptr<EdgeLink>> links_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_ICG_LINKS_H_
