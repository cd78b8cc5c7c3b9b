export default function RejectedPage() { return <h1>Rejected</h1>; }
