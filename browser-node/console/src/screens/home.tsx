import { MeshCard } from '../components/mesh-card.tsx'
import { OtherServices } from '../components/other-services.tsx'
import { RecentRequests } from '../components/recent-requests.tsx'
import { TaskGrid } from '../components/task-grid.tsx'

export function HomeScreen() {
  return (
    <>
      <section class="hero">
        <h1 tabIndex={-1}>What would you like to do?</h1>
        <p class="lead">
          People lend their computers for this work. Your browser talks to them itself, directly where it can.
        </p>
      </section>
      <div class="home-columns">
        <section aria-label="Tasks">
          <TaskGrid />
          <OtherServices />
        </section>
        <MeshCard />
      </div>
      <RecentRequests />
    </>
  )
}
