export default function AccessPage() { return <h1>Access</h1>; }
